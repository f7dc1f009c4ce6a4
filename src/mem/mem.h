/*
 * mem.h: guest memory (floor 1). User mode: one flat guest address space at a host base, with a map of what the guest
 * may do where, in guest pages. Nobody outside mem/ and generated code keeps host pointers to guest memory.
 */
#ifndef LYRE_MEM_MEM_H
#define LYRE_MEM_MEM_H

#include "base/base.h"

enum { GP_READ = 1, GP_WRITE = 2, GP_EXEC = 4, GP_ANON = 8, GP_SHARED = 16, GP_MAPPED = 32 /* always set in a mapped range */,
       GP_GUARD = 64 /* goes with the protection: computed jumps may only enter where the code allows it (Arm's BTI) */,
       GP_PROT = GP_READ | GP_WRITE | GP_EXEC | GP_GUARD };

struct gmem;

/*
 * base: host address of guest 0 (0 = identity); limit: highest guest address + 1; page: guest page size (>= 4096). A 32-bit guest
 * has its space reserved, 4 GiB at any place; a 64-bit one lives at base 0 with nothing reserved.
 */
struct gmem *gmem_new(unsigned addr_bits, uint32_t page, struct err *e);
/* The same at a base that was asked for (GMEM_ANYWHERE: any), and with a space of `size` bytes, reserved (0: the whole space of
 * a 32-bit guest; for a 64-bit one with a base as much as is free there). */
#define GMEM_ANYWHERE (~0ull)
struct gmem *gmem_new_at(unsigned addr_bits, uint32_t page, uint64_t base, uint64_t size, struct err *e);
/* A 32-bit space that lies anywhere: the guest gets its top, too, where Linux has none because error numbers look like that. */
void gmem_use_top(struct gmem *m);
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

/* GP_* of the page with addr; 0 = not mapped. */
unsigned gmem_flags(const struct gmem *m, uint64_t addr);
/* Whether any page has ever been guarded; when the first one is, all code is told to be stale. */
bool gmem_guarded(const struct gmem *m);
/* Calls fn for each range of equal flags in order; stops when fn returns non-zero. */
int gmem_walk(struct gmem *m, int (*fn)(void *ctx, uint64_t start, uint64_t end, unsigned flags), void *ctx);

/* Copies between guest and host. All or nothing on permission: 0, or -EFAULT with *bad = first bad address (if not NULL).
 * A page that vanishes or a file that was truncated meanwhile also gives -EFAULT, never a signal. */
int gmem_read(struct gmem *m, void *dst, uint64_t addr, size_t len, uint64_t *bad);
int gmem_write(struct gmem *m, uint64_t addr, const void *src, size_t len, uint64_t *bad);
/* For debuggers and embedders, who may do what the guest may not: how many bytes from addr on could be read or written. A page that
 * forbids it is lent the permission for the moment. */
size_t gmem_access(struct gmem *m, uint64_t addr, void *buf, size_t len, bool write);
/* Length of a NUL-terminated string (without NUL), -EFAULT, or -ENAMETOOLONG past max. */
int64_t gmem_strlen(struct gmem *m, uint64_t addr, size_t max);
/* For system calls that let the kernel access a buffer: checks the range for GP_READ or GP_WRITE and returns the host
 * pointer, or NULL. Writable ranges are first freed of code write-protection. Valid for this system call only. */
void *gmem_ptr(struct gmem *m, uint64_t addr, size_t len, unsigned prot);
/* Instruction fetch: copies up to `want` bytes from addr on, as far as executable pages reach; returns how many (0: addr is
 * not executable). Marks the pages as holding code first, so that a later write is noticed. */
size_t gmem_fetch(struct gmem *m, uint64_t addr, uint8_t *buf, size_t want);

/* Code tracking: pages that gmem_fetch read from are write-protected; the callback is told when such a page is written,
 * unmapped, remapped or reprotected. Order: the page becomes writable, then the callback runs (it must drop everything
 * translated from the range), then the write is retried. */
void gmem_on_code_write(struct gmem *m, void (*fn)(void *ctx, uint64_t start, uint64_t end), void *ctx);
/* The guest asked for instruction cache maintenance of [start, end): drops code of pages that can change without a write
 * fault (shared mappings, which may be written through another address). Others are tracked anyway. */
void gmem_icache_flush(struct gmem *m, uint64_t start, uint64_t end);
/* A write fault at a page with code: calls back, makes it writable again. True if that resolved the fault. */
bool gmem_code_fault(struct gmem *m, uint64_t addr);
/* A SIGSEGV/SIGBUS inside gmem_read and friends: true if ucontext was redirected to their error return. */
bool gmem_host_fault(void *ucontext);
/* Guest address of a host address, or false if it does not belong to the guest. */
bool gmem_guest_addr(const struct gmem *m, const void *host, uint64_t *addr);
/* Locks across fork (prepare in the parent; done in both). engine_fork_prepare and _done call these. */
void gmem_fork_prepare(struct gmem *m);
void gmem_fork_done(struct gmem *m, bool child);

#endif
