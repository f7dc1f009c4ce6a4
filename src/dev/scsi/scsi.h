/*
 * scsi.h: SCSI devices and how an adapter gives them commands (floor 4): SAM-5, SPC-4, SBC-3, MMC-5.
 *
 * Devices plug into a bus of type "SCSI" at a target and a logical unit. A request is the adapter's: data is in host memory that it has
 * mapped (the guest can change it meanwhile: what decides anything is copied first); scsi_submit calls `done` at once or later.
 */
#ifndef LYRE_DEV_SCSI_SCSI_H
#define LYRE_DEV_SCSI_SCSI_H

#include <sys/uio.h>
#include "dev/device.h"

enum { SCSI_CDB = 32, SCSI_SENSE = 18, SCSI_TARGETS = 256, SCSI_LUNS = 16384 };
enum { SCSI_GOOD = 0, SCSI_CHECK = 2, SCSI_BUSY = 8 };

struct scsi_dev;
struct scsi_request {
    struct scsi_dev *dev;        /* NULL: nobody is there, only what a target answers for all of its units */
    uint8_t cdb[SCSI_CDB];
    struct iovec *in, *out;      /* data to the initiator, from it */
    unsigned nin, nout;
    uint64_t in_len, out_len;
    /* the answer */
    uint64_t moved;              /* bytes of data */
    uint8_t status, sense_len, sense[SCSI_SENSE];
    void (*done)(struct scsi_request *r);
    uint32_t parts;              /* the device's */
    uint64_t moving;
};

struct scsi_bus {
    struct bus *bus;
    struct scsi_dev *devs;
    unsigned max_target, max_lun;
    void (*changed)(struct dev *hba, struct scsi_dev *d, bool there); /* plugged in, about to go; may be NULL */
    void (*touched)(struct dev *hba, struct scsi_dev *d, unsigned code); /* its medium or size changed: ASC | ASCQ << 8; may be NULL */
};

struct scsi_dev {
    struct dev dev;
    struct scsi_bus *on;
    struct scsi_dev *next;
    uint32_t channel, target, lun; /* properties; UINT32_MAX: the first that is free */
    uint32_t inflight;
    uint8_t attention;           /* unit attention that waits: additional sense code, 0 = none */
    void (*command)(struct scsi_dev *d, struct scsi_request *r);
};
#define SCSI_PROPS \
    { .name = "channel", .type = PROP_T_U32, .field = offsetof(struct scsi_dev, channel) }, \
    { .name = "scsi-id", .type = PROP_T_U32, .field = offsetof(struct scsi_dev, target), .def = UINT32_MAX }, \
    { .name = "lun", .type = PROP_T_U32, .field = offsetof(struct scsi_dev, lun), .def = UINT32_MAX }

/* For adapters. */
void scsi_bus_init(struct scsi_bus *b, struct dev *hba, const char *name, unsigned max_target, unsigned max_lun);
struct scsi_dev *scsi_find(struct scsi_bus *b, unsigned target, unsigned lun);
bool scsi_target(const struct scsi_bus *b, unsigned target);
/* A command for target/lun of the bus; r->dev is set here. */
void scsi_submit(struct scsi_bus *b, unsigned target, unsigned lun, struct scsi_request *r);

/* For devices. */
void scsi_done(struct scsi_request *r, uint8_t status);
void scsi_sense(struct scsi_request *r, uint8_t key, uint8_t asc, uint8_t ascq); /* ends it with CHECK CONDITION */
/* Answers with at most `alloc` bytes. */
void scsi_reply(struct scsi_request *r, const void *buf, uint64_t len, uint64_t alloc);
/* Copies parameter data: how many bytes. */
uint64_t scsi_parameters(const struct scsi_request *r, void *buf, uint64_t len);
static inline uint32_t scsi_be16(const uint8_t *b) { return (uint32_t)b[0] << 8 | b[1]; }
static inline uint32_t scsi_be32(const uint8_t *b) { return scsi_be16(b) << 16 | scsi_be16(b + 2); }
static inline uint64_t scsi_be64(const uint8_t *b) { return (uint64_t)scsi_be32(b) << 32 | scsi_be32(b + 4); }
static inline void scsi_put16(uint8_t *b, uint32_t v) { b[0] = (uint8_t)(v >> 8), b[1] = (uint8_t)v; }
static inline void scsi_put32(uint8_t *b, uint32_t v) { scsi_put16(b, v >> 16), scsi_put16(b + 2, v); }
static inline void scsi_put64(uint8_t *b, uint64_t v) { scsi_put32(b, (uint32_t)(v >> 32)), scsi_put32(b + 4, (uint32_t)v); }

#endif
