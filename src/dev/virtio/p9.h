/*
 * p9.h: a 9P2000.L server for one folder of the host (what virtio-9p speaks; github.com/chaos/diod, protocol.md).
 *
 * Every file is reached from the folder's descriptor by single names, each opened with openat2 and RESOLVE_BENEATH, never through a
 * symbolic link: no name leads out. Fids hold O_PATH descriptors. All work is synchronous.
 */
#ifndef LYRE_DEV_VIRTIO_P9_H
#define LYRE_DEV_VIRTIO_P9_H

#include "base/base.h"

enum p9_security { P9_PASSTHROUGH, P9_NONE /* owners cannot be changed: that is no error */, P9_MAPPED /* kept in extended attributes */ };
enum { P9_MSIZE = 512 << 10, P9_FIDS = 8192 };

struct p9;
struct p9 *p9_new(const char *path, enum p9_security security, bool readonly, struct err *e);
void p9_free(struct p9 *s);
/* Forgets all fids (the device was reset). */
void p9_reset(struct p9 *s);
/* One message of len bytes; the answer is in the server's own buffer until the next call, and at most `room` bytes. */
const uint8_t *p9_message(struct p9 *s, const uint8_t *msg, uint32_t len, uint32_t room, uint32_t *reply);

#endif
