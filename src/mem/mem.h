/*
 * mem.h: guest memory (floor 1). User mode: one flat guest address space at a host base, with a map of what the guest
 * may do where, in guest pages. Nobody outside mem/ and generated code keeps host pointers to guest memory.
 */
#ifndef LYRE_MEM_MEM_H
#define LYRE_MEM_MEM_H

#include "base/base.h"

enum { GP_READ = 1, GP_WRITE = 2, GP_EXEC = 4, GP_ANON = 8, GP_SHARED = 16, GP_CODE = 32 /* write-protected: translated */ };

struct gmem;

/* base: host address of guest 0 (0 = identity); limit: highest guest address + 1; page: guest page size (>= 4096). For a
 * 32-bit guest reserves 4 GiB of host address space. */
struct gmem *gmem_new(unsigned addr_bits, uint32_t page, struct err *e);
void gmem_free(struct gmem *m);
uint64_t gmem_base(const struct gmem *m);
uint64_t gmem_limit(const struct gmem *m);
uint32_t gmem_page(const struct gmem *m);

/*
 * mmap and friends with the guest's page size and flags (prot GP_*; flags and fd are host's MAP_* and fd). Return the
 * guest address or -errno (as the Linux system call would). Never touch a host mapping that is not the guest's.
 */
int64_t gmem_map(struct gmem *m, uint64_t addr, uint64_t len, unsigned prot, int flags, int fd, uint64_t off);
int gmem_unmap(struct gmem *m, uint64_t addr, uint64_t len);
int gmem_protect(struct gmem *m, uint64_t addr, uint64_t len, unsigned prot);
int64_t gmem_remap(struct gmem *m, uint64_t old, uint64_t old_len, uint64_t new_len, int flags, uint64_t new_addr);
/* Finds room; 0 if none. */
uint64_t gmem_find(struct gmem *m, uint64_t hint, uint64_t len, uint64_t align);

/* GP_* of the page with addr; 0 = not mapped. Lock-free. */
unsigned gmem_flags(const struct gmem *m, uint64_t addr);
/* Calls fn for each range of equal flags in order; stops when fn returns non-zero. */
int gmem_walk(struct gmem *m, int (*fn)(void *ctx, uint64_t start, uint64_t end, unsigned flags), void *ctx);

/* Copies between guest and host. All or nothing on permission: 0, or -EFAULT with *bad = first bad address (if not NULL).
 * A page that vanishes or a file that was truncated meanwhile also gives -EFAULT, never a signal. */
int gmem_read(struct gmem *m, void *dst, uint64_t addr, size_t len, uint64_t *bad);
int gmem_write(struct gmem *m, uint64_t addr, const void *src, size_t len, uint64_t *bad);
/* Length of a NUL-terminated string (without NUL), -EFAULT, or -ENAMETOOLONG past max. */
int64_t gmem_strlen(struct gmem *m, uint64_t addr, size_t max);
/* For system calls that let the kernel access a buffer: checks the range for GP_READ or GP_WRITE and returns the host
 * pointer, or NULL. Writable ranges are first freed of code write-protection. Valid for this system call only. */
void *gmem_ptr(struct gmem *m, uint64_t addr, size_t len, unsigned prot);
/* Host pointer for instruction fetch of page `addr`: readable bytes from addr to the end of contiguous executable
 * pages (at most `want`) in *avail; NULL if not executable. Translation only. */
const uint8_t *gmem_code(struct gmem *m, uint64_t addr, size_t want, size_t *avail);

/* Code tracking: marks a page as holding translated code (write-protects it); the callback is told when a page marked
 * so is written, unmapped, remapped or loses exec, before the change is visible to the guest. */
void gmem_code_mark(struct gmem *m, uint64_t page_addr);
void gmem_on_code_write(struct gmem *m, void (*fn)(void *ctx, uint64_t start, uint64_t end), void *ctx);
/* A write fault at a GP_CODE page: calls back, makes it writable again. True if that resolved the fault. */
bool gmem_code_fault(struct gmem *m, uint64_t addr);
/* A SIGSEGV/SIGBUS inside gmem_read and friends: true if ucontext was redirected to their error return. */
bool gmem_host_fault(void *ucontext);
/* Guest address of a host address, or false if it does not belong to the guest. */
bool gmem_guest_addr(const struct gmem *m, const void *host, uint64_t *addr);
/* Locks across fork (prepare in parent; done in both). */
void gmem_fork_prepare(struct gmem *m);
void gmem_fork_done(struct gmem *m);

#endif
