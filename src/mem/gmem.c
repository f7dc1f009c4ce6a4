/*
 * gmem.c: the address space of a user-mode guest.
 *
 * What the guest has mapped is a sorted array of ranges with equal flags; host mappings follow it one to one at guest
 * address + base. 64-bit guests live at base 0 in the host's own space (a mapping that is not the guest's is never
 * replaced); 32-bit guests have 4 GiB reserved. Host mappings are never executable.
 *
 * Pages that code was fetched from are in a hash set and not writable on the host. Lock order: the engine's lock, then
 * gmem's; callbacks run without gmem's.
 */
#include "mem/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

struct range {
    uint64_t start, end;
    unsigned flags;
};

struct gmem {
    uint64_t base, limit;
    uint32_t page;
    bool reserved; /* the whole guest space is our own host mapping: */
    void *host_lo;
    uint64_t host_len;
    pthread_rwlock_t lock;
    struct range *r;
    uint32_t n, cap;
    uint64_t gen; /* of the ranges: grows with every change; read without the lock */
    uint64_t private_gen; /* when it was gen, no shared range could be executed; atomic */
    /* pages with translated code: open addressing, 0 = empty, 1 = deleted, else page address | 1 << 63 */
    uint64_t *code;
    uint32_t ncode, nused, code_cap;
    void (*on_write)(void *ctx, uint64_t start, uint64_t end);
    void *on_write_ctx;
    bool guarded;           /* a page has been, once */
};

/* The top of a 32-bit space is never mapped: what a system call returns there is an error number. */
enum { MIN_MAP_ADDR = 0x10000, TOP_GAP = 0x10000 };
#define CODE_KEY(page) ((page) | 1ull << 63)

/* --- ranges ------------------------------------------------------------------------------------------------- */

/* Index of the first range that ends after addr. */
static uint32_t range_at(const struct gmem *m, uint64_t addr)
{
    uint32_t lo = 0, hi = m->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (m->r[mid].end <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void range_insert(struct gmem *m, uint32_t i, struct range x)
{
    m->r = vec_grow(m->r, &m->cap, m->n + 1, sizeof *m->r);
    memmove(m->r + i + 1, m->r + i, (m->n - i) * sizeof *m->r);
    m->r[i] = x;
    m->n++;
}

/* Cuts the range that contains addr in its middle, so that one starts at addr. */
static void range_split(struct gmem *m, uint64_t addr)
{
    uint32_t i = range_at(m, addr);
    if (i == m->n || m->r[i].start >= addr) return;
    struct range tail = m->r[i];
    m->r[i].end = tail.start = addr;
    range_insert(m, i + 1, tail);
}

/* Sets [start, end) to flags; 0 removes. */
static void range_set(struct gmem *m, uint64_t start, uint64_t end, unsigned flags)
{
    __atomic_store_n(&m->gen, m->gen + 1, __ATOMIC_RELEASE);
    range_split(m, start);
    range_split(m, end);
    uint32_t i = range_at(m, start), j = i;
    while (j < m->n && m->r[j].start < end) j++;
    memmove(m->r + i, m->r + j, (m->n - j) * sizeof *m->r);
    m->n -= j - i;
    if (!flags) return;
    bool left = i > 0 && m->r[i - 1].end == start && m->r[i - 1].flags == flags;
    bool right = i < m->n && m->r[i].start == end && m->r[i].flags == flags;
    if (left && right) {
        m->r[i - 1].end = m->r[i].end;
        memmove(m->r + i, m->r + i + 1, (m->n - i - 1) * sizeof *m->r);
        m->n--;
    } else if (left) {
        m->r[i - 1].end = end;
    } else if (right) {
        m->r[i].start = start;
    } else {
        range_insert(m, i, (struct range){ start, end, flags });
    }
}

/* First address in [start, end) that is not mapped with all of `need`, or end. */
static uint64_t range_check(const struct gmem *m, uint64_t start, uint64_t end, unsigned need)
{
    for (uint32_t i = range_at(m, start); start < end; i++) {
        if (i == m->n || m->r[i].start > start || (m->r[i].flags & need) != need) return start;
        start = m->r[i].end;
    }
    return end;
}

static bool range_free(const struct gmem *m, uint64_t start, uint64_t end)
{
    uint32_t i = range_at(m, start);
    return i == m->n || m->r[i].start >= end;
}

/* --- pages with code ------------------------------------------------------------------------------------------ */

static uint32_t code_hash(const struct gmem *m, uint64_t page)
{
    return (uint32_t)((page >> 12) * 0x9e3779b97f4a7c15ull >> 40) & (m->code_cap - 1);
}

static bool code_has(const struct gmem *m, uint64_t page)
{
    if (!m->ncode) return false;
    for (uint32_t h = code_hash(m, page); m->code[h]; h = (h + 1) & (m->code_cap - 1))
        if (m->code[h] == CODE_KEY(page)) return true;
    return false;
}

static void code_add(struct gmem *m, uint64_t page)
{
    if ((m->nused + 1) * 2 > m->code_cap) {
        uint64_t *old = m->code;
        uint32_t old_cap = m->code_cap;
        m->code_cap = MAX(256u, m->ncode * 4 > old_cap ? old_cap * 2 : old_cap);
        m->code = xalloc(m->code_cap * sizeof *m->code);
        m->ncode = m->nused = 0;
        for (uint32_t i = 0; i < old_cap; i++)
            if (old[i] > 1) code_add(m, old[i] & ~(1ull << 63));
        free(old);
    }
    uint32_t h = code_hash(m, page);
    while (m->code[h] > 1) {
        if (m->code[h] == CODE_KEY(page)) return;
        h = (h + 1) & (m->code_cap - 1);
    }
    m->nused += m->code[h] == 0;
    m->code[h] = CODE_KEY(page);
    m->ncode++;
}

static bool code_del(struct gmem *m, uint64_t page)
{
    if (!m->ncode) return false;
    for (uint32_t h = code_hash(m, page); m->code[h]; h = (h + 1) & (m->code_cap - 1)) {
        if (m->code[h] == CODE_KEY(page)) {
            m->code[h] = 1;
            m->ncode--;
            return true;
        }
    }
    return false;
}

/* --- host side -------------------------------------------------------------------------------------------------- */

static void *host(const struct gmem *m, uint64_t addr)
{
    return (void *)(uintptr_t)(m->base + addr);
}

static int host_prot(unsigned flags)
{
    return (flags & (GP_READ | GP_EXEC) ? PROT_READ : 0) | (flags & GP_WRITE ? PROT_READ | PROT_WRITE : 0);
}

static unsigned flags_at(const struct gmem *m, uint64_t addr)
{
    uint32_t i = range_at(m, addr);
    return i < m->n && m->r[i].start <= addr ? m->r[i].flags : 0;
}

/*
 * Takes the code pages of [start, end) out of the set and gives them their guest protection back. Returns whether there
 * were any; the caller then calls back without the lock.
 */
static bool code_release(struct gmem *m, uint64_t start, uint64_t end)
{
    bool any = false;
    if (!m->ncode) return false;
    start = ALIGN_DOWN(start, (uint64_t)m->page);
    if ((end - start) / m->page <= m->code_cap) {
        for (uint64_t a = start; a < end; a += m->page) {
            if (!code_del(m, a)) continue;
            any = true;
            if (flags_at(m, a) & GP_WRITE) mprotect(host(m, a), m->page, host_prot(flags_at(m, a)));
        }
        return any;
    }
    for (uint32_t i = 0; i < m->code_cap; i++) {
        uint64_t a = m->code[i] & ~(1ull << 63);
        if (m->code[i] <= 1 || a < start || a >= end) continue;
        m->code[i] = 1;
        m->ncode--;
        any = true;
        if (flags_at(m, a) & GP_WRITE) mprotect(host(m, a), m->page, host_prot(flags_at(m, a)));
    }
    return any;
}

static void unlock_and_tell(struct gmem *m, bool code, uint64_t start, uint64_t end)
{
    pthread_rwlock_unlock(&m->lock);
    if (code && m->on_write) m->on_write(m->on_write_ctx, start, end);
}

/* Code translated so far does not know of guards. */
static void note_guard(struct gmem *m, unsigned prot)
{
    if (!(prot & GP_GUARD) || __atomic_exchange_n(&m->guarded, true, __ATOMIC_ACQ_REL)) return;
    if (m->on_write) m->on_write(m->on_write_ctx, 0, m->limit);
}
bool gmem_guarded(const struct gmem *m)
{
    return __atomic_load_n(&m->guarded, __ATOMIC_ACQUIRE);
}

/* Gives guest addresses back to the host (or to the reservation). */
static void host_release(struct gmem *m, uint64_t start, uint64_t end)
{
    if (start >= end) return;
    if (m->reserved)
        mmap(host(m, start), end - start, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    else
        munmap(host(m, start), end - start);
}

/*
 * Makes sure that every host page of [start, end) is the guest's to replace: what is not mapped by the guest is reserved
 * without replacing anything of the host's. On failure gives back what it took.
 */
static int host_claim(struct gmem *m, uint64_t start, uint64_t end)
{
    if (m->reserved) return 0;
    uint64_t a = start;
    for (uint32_t i = range_at(m, start); a < end; i++) {
        uint64_t next = i < m->n ? MIN(m->r[i].start, end) : end;
        if (a < next) {
            void *p = mmap(host(m, a), next - a, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
            if (p != host(m, a)) {
                if (p != MAP_FAILED) munmap(p, next - a); /* a kernel that takes the flag for a hint */
                for (uint64_t b = start; b < a;) {
                    uint32_t k = range_at(m, b);
                    uint64_t stop = k < m->n ? MIN(m->r[k].start, a) : a;
                    if (b < stop) munmap(host(m, b), stop - b);
                    b = k < m->n ? MAX(stop, m->r[k].end) : a;
                }
                return -ENOMEM;
            }
        }
        a = i < m->n ? MAX(next, MIN(m->r[i].end, end)) : end;
    }
    return 0;
}

/* --- life ------------------------------------------------------------------------------------------------------- */

/*
 * Reserves host memory for guest addresses from 0 to size, a page more on both sides: an access across the end, or below
 * zero, faults. At base 0 the host's own lowest pages take the part of that below.
 */
static int reserve(struct gmem *m, uint64_t base, uint64_t size)
{
    uint64_t below = base ? m->page : 0, skip = base ? 0 : MIN_MAP_ADDR, len = below + size + m->page - skip;
    bool any = base == GMEM_ANYWHERE;
    void *want = any ? NULL : (void *)(uintptr_t)(base - below + skip);
    void *p = mmap(want, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (any ? 0 : MAP_FIXED_NOREPLACE), -1, 0);
    if (p == MAP_FAILED) return -errno;
    if (!any && p != want) { /* a kernel that takes the flag for a hint */
        munmap(p, len);
        return -EEXIST;
    }
    m->host_lo = p;
    m->host_len = len;
    m->base = any ? (uintptr_t)p + below : base;
    m->limit = size;
    m->reserved = true;
    return 0;
}

/* A 64-bit guest's space at a given base: as large as fits there, in powers of two. */
static int reserve_most(struct gmem *m, uint64_t base)
{
    int r = -ENOMEM;
    for (unsigned bits = 46; r < 0 && bits >= 32; bits--) r = reserve(m, base, 1ull << bits);
    return r;
}

struct gmem *gmem_new_at(unsigned addr_bits, uint32_t page, uint64_t base, uint64_t size, struct err *e)
{
    struct gmem *m = xalloc(sizeof *m);
    int r = 0;
    m->page = MAX(page, (uint32_t)sysconf(_SC_PAGESIZE));
    pthread_rwlock_init(&m->lock, NULL);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* another start than of a space that was at this address before */
    m->gen = (uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec;
    m->r = vec_grow(NULL, &m->cap, 64, sizeof *m->r);
    bool narrow = addr_bits <= 32, placed = base != GMEM_ANYWHERE;
    uint64_t all = 1ull << MIN(addr_bits, 47u);
    if ((placed && base & (m->page - 1)) || (size && (size > all || size & (m->page - 1) || size <= 2 * TOP_GAP))) {
        err_set(e, EINVAL, "base and size of the guest's address space are multiples of its page size %u, the size at most 0x%llx",
                m->page, (unsigned long long)all);
        goto fail;
    }
    if (size || narrow)
        r = reserve(m, base, narrow ? all : size);
    else if (placed && base)
        r = reserve_most(m, base);
    else
        m->limit = all - m->page;
    if (r < 0) {
        char where[40] = "";
        if (placed) snprintf(where, sizeof where, " at 0x%llx", (unsigned long long)base);
        err_set(e, -r, "cannot reserve 0x%llx bytes of address space for the guest%s: %s",
                (unsigned long long)(narrow ? all : size ? size : 1ull << 32), where, strerror(-r));
        goto fail;
    }
    if (narrow) m->limit = size ? MIN(size, all - TOP_GAP) : all - TOP_GAP;
    return m;
fail:
    gmem_free(m);
    return NULL;
}

struct gmem *gmem_new(unsigned addr_bits, uint32_t page, struct err *e)
{
    return gmem_new_at(addr_bits, page, GMEM_ANYWHERE, 0, e);
}

void gmem_use_top(struct gmem *m)
{
    m->limit = m->host_len - 2 * m->page;
}

void gmem_free(struct gmem *m)
{
    if (!m) return;
    if (m->reserved)
        munmap(m->host_lo, m->host_len);
    else
        for (uint32_t i = 0; i < m->n; i++) munmap(host(m, m->r[i].start), m->r[i].end - m->r[i].start);
    pthread_rwlock_destroy(&m->lock);
    free(m->r);
    free(m->code);
    free(m);
}

uint64_t gmem_base(const struct gmem *m) { return m->base; }
uint64_t gmem_limit(const struct gmem *m) { return m->limit; }
uint32_t gmem_page(const struct gmem *m) { return m->page; }

/* Rounds a request to pages; false if it is empty or leaves the guest's space. */
static bool round_range(const struct gmem *m, uint64_t addr, uint64_t *len)
{
    if (!*len || *len > m->limit) return false;
    *len = ALIGN_UP(*len, (uint64_t)m->page);
    return addr <= m->limit && *len <= m->limit - addr;
}

/* Top-down search in the guest's map (the host may still refuse a place in an identity space). */
static uint64_t find_room(struct gmem *m, uint64_t hint, uint64_t len, uint64_t align)
{
    align = MAX(align, (uint64_t)m->page);
    hint = ALIGN_UP(hint, align);
    if (hint >= MIN_MAP_ADDR && hint <= m->limit && len <= m->limit - hint && range_free(m, hint, hint + len))
        return hint;
    uint64_t top = m->limit;
    for (uint32_t i = m->n; top > MIN_MAP_ADDR; i--) {
        uint64_t bottom = i ? MAX(m->r[i - 1].end, (uint64_t)MIN_MAP_ADDR) : MIN_MAP_ADDR;
        if (top > bottom && top - bottom >= len) {
            uint64_t a = ALIGN_DOWN(top - len, align);
            if (a >= bottom) return a;
        }
        if (!i) break;
        top = MIN(top, m->r[i - 1].start);
    }
    return 0;
}

uint64_t gmem_find(struct gmem *m, uint64_t hint, uint64_t len, uint64_t align)
{
    pthread_rwlock_rdlock(&m->lock);
    uint64_t a = find_room(m, hint, ALIGN_UP(len, (uint64_t)m->page), align);
    pthread_rwlock_unlock(&m->lock);
    return a;
}

static unsigned flags_of(unsigned prot, int flags)
{
    return (prot & GP_PROT) | (flags & MAP_ANONYMOUS ? GP_ANON : 0) |
           ((flags & MAP_TYPE) == MAP_PRIVATE ? 0 : GP_SHARED) | GP_MAPPED;
}

int64_t gmem_map(struct gmem *m, uint64_t addr, uint64_t len, unsigned prot, int flags, int fd, uint64_t off)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE), code = false;
    if (!len || (fixed && addr & (m->page - 1)) || off & (m->page - 1)) return -EINVAL;
    addr = ALIGN_DOWN(addr, (uint64_t)m->page);
    if (!fixed && (addr < MIN_MAP_ADDR || addr >= m->limit)) addr = 0;
    if (!round_range(m, addr, &len)) return -ENOMEM;
    int hflags = flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN);
    if (addr || fixed || m->reserved || m->base) hflags &= ~MAP_32BIT; /* low addresses: where guest and host addresses are the same */

    pthread_rwlock_wrlock(&m->lock);
    if (fixed || m->reserved) {
        if (!fixed && !(addr = find_room(m, addr, len, m->page))) goto nomem;
        if (flags & MAP_FIXED_NOREPLACE && !range_free(m, addr, addr + len)) {
            pthread_rwlock_unlock(&m->lock);
            return -EEXIST;
        }
        if (host_claim(m, addr, addr + len)) {
            if (!(flags & MAP_FIXED_NOREPLACE)) goto nomem;
            pthread_rwlock_unlock(&m->lock);
            return -EEXIST;
        }
        code = code_release(m, addr, addr + len);
        hflags |= MAP_FIXED;
    }
    void *p = mmap(addr || m->reserved ? host(m, addr) : NULL, len, host_prot(prot), hflags, fd, (off_t)off);
    if (p == MAP_FAILED) {
        int error = errno;
        if (fixed || m->reserved) {
            /* what host_claim took where the guest had nothing goes back; what the guest had stays */
            for (uint64_t a = addr; a < addr + len;) {
                uint32_t i = range_at(m, a);
                uint64_t stop = i < m->n ? MIN(m->r[i].start, addr + len) : addr + len;
                if (a < stop) host_release(m, a, stop);
                a = i < m->n ? MAX(stop, m->r[i].end) : stop;
            }
        }
        unlock_and_tell(m, code, addr, addr + len);
        return -error;
    }
    addr = (uintptr_t)p - m->base;
    if (addr >= m->limit || len > m->limit - addr) {
        munmap(p, len);
        goto nomem;
    }
    range_set(m, addr, addr + len, flags_of(prot, flags));
    unlock_and_tell(m, code, addr, addr + len);
    note_guard(m, prot);
    LOG(LOG_PAGE, "map %#llx+%#llx prot %u flags %#x\n", (unsigned long long)addr, (unsigned long long)len, prot, (unsigned)flags);
    return (int64_t)addr;
nomem:
    pthread_rwlock_unlock(&m->lock);
    return -ENOMEM;
}

int gmem_unmap(struct gmem *m, uint64_t addr, uint64_t len)
{
    if (addr & (m->page - 1) || !round_range(m, addr, &len)) return -EINVAL;
    uint64_t end = addr + len;
    pthread_rwlock_wrlock(&m->lock);
    bool code = code_release(m, addr, end);
    for (uint32_t i = range_at(m, addr); i < m->n && m->r[i].start < end; i++)
        host_release(m, MAX(addr, m->r[i].start), MIN(end, m->r[i].end));
    range_set(m, addr, end, 0);
    unlock_and_tell(m, code, addr, end);
    return 0;
}

int gmem_protect(struct gmem *m, uint64_t addr, uint64_t len, unsigned prot)
{
    if (addr & (m->page - 1)) return -EINVAL;
    if (!len) return 0;
    if (!round_range(m, addr, &len)) return -ENOMEM;
    uint64_t end = addr + len;
    pthread_rwlock_wrlock(&m->lock);
    /* up to the first hole, as Linux does */
    uint64_t stop = range_check(m, addr, end, GP_MAPPED);
    bool code = code_release(m, addr, stop);
    int ret = stop > addr && mprotect(host(m, addr), stop - addr, host_prot(prot)) ? -errno : 0;
    if (!ret) {
        for (uint64_t a = addr; a < stop;) {
            struct range r = m->r[range_at(m, a)];
            uint64_t to = MIN(r.end, stop);
            range_set(m, a, to, (r.flags & ~(unsigned)GP_PROT) | prot);
            a = to;
        }
        if (stop < end) ret = -ENOMEM;
    }
    unlock_and_tell(m, code, addr, end);
    note_guard(m, prot);
    return ret;
}

int64_t gmem_remap(struct gmem *m, uint64_t old, uint64_t old_len, uint64_t new_len, int flags, uint64_t new_addr)
{
    bool fixed = flags & MREMAP_FIXED;
    if (old & (m->page - 1) || !new_len || (fixed && (!(flags & MREMAP_MAYMOVE) || new_addr & (m->page - 1))))
        return -EINVAL;
    if (!old_len || !round_range(m, old, &old_len) || !round_range(m, fixed ? new_addr : 0, &new_len)) return -EINVAL;
    if (fixed && new_addr < old + old_len && old < new_addr + new_len) return -EINVAL;

    pthread_rwlock_wrlock(&m->lock);
    if (range_check(m, old, old + old_len, GP_MAPPED) != old + old_len) {
        pthread_rwlock_unlock(&m->lock);
        return -EFAULT;
    }
    unsigned gf = flags_at(m, old);
    bool code = code_release(m, old, old + old_len), code_dst = false;
    uint64_t to = old;
    void *p;
    if (fixed) {
        to = new_addr;
        if (host_claim(m, to, to + new_len)) goto nomem;
        code_dst = code_release(m, to, to + new_len);
        p = mremap(host(m, old), old_len, new_len, flags, host(m, to));
    } else if (!m->reserved) {
        p = mremap(host(m, old), old_len, new_len, flags);
    } else if (new_len <= old_len) {
        p = host(m, old);
    } else {
        uint64_t grow_end = old + new_len;
        if (grow_end <= m->limit && range_free(m, old + old_len, grow_end)) {
            munmap(host(m, old + old_len), new_len - old_len);
            p = mremap(host(m, old), old_len, new_len, 0);
            if (p == MAP_FAILED) host_release(m, old + old_len, grow_end);
        } else if (!(flags & MREMAP_MAYMOVE) || !(to = find_room(m, 0, new_len, m->page))) {
            goto nomem;
        } else {
            p = mremap(host(m, old), old_len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, host(m, to));
        }
    }
    if (p == MAP_FAILED) {
        int error = errno;
        unlock_and_tell(m, code, old, old + old_len);
        if (code_dst && m->on_write) m->on_write(m->on_write_ctx, to, to + new_len);
        return -error;
    }
    to = (uintptr_t)p - m->base;
    bool keep = flags & MREMAP_DONTUNMAP;
    if (to != old && !keep) {
        if (m->reserved) host_release(m, old, old + old_len);
        range_set(m, old, old + old_len, 0);
    } else if (to == old && new_len < old_len) {
        if (m->reserved) host_release(m, old + new_len, old + old_len);
        range_set(m, old + new_len, old + old_len, 0);
    }
    range_set(m, to, to + new_len, gf);
    unlock_and_tell(m, code, old, old + old_len);
    if (code_dst && m->on_write) m->on_write(m->on_write_ctx, to, to + new_len);
    return (int64_t)to;
nomem:
    unlock_and_tell(m, code, old, old + old_len);
    return -ENOMEM;
}

unsigned gmem_flags(const struct gmem *m, uint64_t addr)
{
    pthread_rwlock_rdlock((pthread_rwlock_t *)&m->lock);
    unsigned f = flags_at(m, addr);
    pthread_rwlock_unlock((pthread_rwlock_t *)&m->lock);
    return f;
}

int gmem_walk(struct gmem *m, int (*fn)(void *ctx, uint64_t start, uint64_t end, unsigned flags), void *ctx)
{
    int ret = 0;
    uint64_t at = 0;
    while (!ret) {
        pthread_rwlock_rdlock(&m->lock);
        uint32_t i = range_at(m, at);
        struct range r = i < m->n ? m->r[i] : (struct range){ 0 };
        pthread_rwlock_unlock(&m->lock);
        if (!r.end) break;
        ret = fn(ctx, r.start, r.end, r.flags);
        at = r.end;
    }
    return ret;
}

/* --- copies ------------------------------------------------------------------------------------------------------ */

/* memcpy that returns the bytes not copied: 0, or more when the host faulted on the way (see gmem_host_fault). */
#if defined(__x86_64__)
size_t gmem_copy_guarded(void *dst, const void *src, size_t len);
extern const char gmem_copy_insn[], gmem_copy_done[];
__asm__(".text\n.p2align 4\n.globl gmem_copy_guarded\n.hidden gmem_copy_guarded\n.type gmem_copy_guarded,@function\n"
        ".hidden gmem_copy_insn\n.globl gmem_copy_insn\n.hidden gmem_copy_done\n.globl gmem_copy_done\n"
        "gmem_copy_guarded:\n"
        "    endbr64\n"
        "    mov %rdx, %rcx\n"
        "gmem_copy_insn:\n"
        "    rep movsb\n"
        "gmem_copy_done:\n"
        "    mov %rcx, %rax\n"
        "    ret\n"
        ".size gmem_copy_guarded, .-gmem_copy_guarded\n");

bool gmem_host_fault(void *ucontext)
{
    greg_t *regs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    if ((const char *)(uintptr_t)regs[REG_RIP] != gmem_copy_insn) return false;
    regs[REG_RIP] = (greg_t)(uintptr_t)gmem_copy_done;
    return true;
}
#else
/* Portable and slower: the kernel does the checking. */
static size_t gmem_copy_guarded(void *dst, const void *src, size_t len)
{
    struct iovec l = { dst, len }, r = { (void *)(uintptr_t)src, len };
    ssize_t n = process_vm_readv(getpid(), &l, 1, &r, 1, 0);
    return n < 0 ? len : len - (size_t)n;
}

bool gmem_host_fault(void *ucontext)
{
    return false;
}
#endif

/* The range that this thread found last: what a system call is given mostly lies where the one before did. */
static __thread struct {
    const struct gmem *m;
    uint64_t gen;
    struct range r;
} found;

/* Without the lock: true if the range is as before and allows the access. Writable code is left to the slow way. */
static bool found_allows(const struct gmem *m, uint64_t addr, size_t len, unsigned need)
{
    const struct range *r = &found.r;
    unsigned need_not = need & GP_WRITE ? GP_EXEC : 0;
    return found.m == m && addr >= r->start && addr < r->end && len <= r->end - addr &&
           (r->flags & (need | need_not)) == need && __atomic_load_n(&m->gen, __ATOMIC_ACQUIRE) == found.gen;
}

/* Checks a range for `need`; for writes frees it of code protection. 0 or -EFAULT. */
static int access_check(struct gmem *m, uint64_t addr, size_t len, unsigned need, uint64_t *bad)
{
    uint64_t stop = addr;
    bool code = false;
    if (found_allows(m, addr, len, need)) return 0;
    if (addr >= m->limit || len > m->limit - addr) {
        if (bad) *bad = addr;
        return -EFAULT;
    }
    pthread_rwlock_rdlock(&m->lock);
    stop = range_check(m, addr, addr + len, need);
    uint32_t at = range_at(m, addr);
    if (stop > addr) {
        found.m = m;
        found.gen = m->gen;
        found.r = m->r[at];
    }
    if (need & GP_WRITE && m->ncode) {
        for (uint64_t a = ALIGN_DOWN(addr, (uint64_t)m->page); a < stop && !code; a += m->page) code = code_has(m, a);
    }
    pthread_rwlock_unlock(&m->lock);
    if (code) {
        pthread_rwlock_wrlock(&m->lock);
        code = code_release(m, addr, addr + len);
        unlock_and_tell(m, code, ALIGN_DOWN(addr, (uint64_t)m->page), addr + len);
    }
    if (stop >= addr + len) return 0;
    if (bad) *bad = stop;
    return -EFAULT;
}

int gmem_read(struct gmem *m, void *dst, uint64_t addr, size_t len, uint64_t *bad)
{
    if (!len) return 0;
    if (access_check(m, addr, len, GP_READ, bad)) return -EFAULT;
    size_t left = gmem_copy_guarded(dst, host(m, addr), len);
    if (left && bad) *bad = addr + len - left;
    return left ? -EFAULT : 0;
}

int gmem_write(struct gmem *m, uint64_t addr, const void *src, size_t len, uint64_t *bad)
{
    if (!len) return 0;
    if (access_check(m, addr, len, GP_WRITE, bad)) return -EFAULT;
    size_t left = gmem_copy_guarded(host(m, addr), src, len);
    if (left && bad) *bad = addr + len - left;
    return left ? -EFAULT : 0;
}

/* Within one page. */
static int access_page(struct gmem *m, uint64_t addr, void *buf, size_t len, bool write)
{
    unsigned flags = gmem_flags(m, addr), need = write ? GP_WRITE : GP_READ;
    uint64_t page = ALIGN_DOWN(addr, (uint64_t)m->page);
    if (!(flags & GP_MAPPED)) return -EFAULT;
    bool lend = !(flags & need);
    if (lend && gmem_protect(m, page, m->page, (flags & GP_PROT) | GP_READ | need) < 0) return -EFAULT;
    int r = write ? gmem_write(m, addr, buf, len, NULL) : gmem_read(m, buf, addr, len, NULL);
    if (lend) gmem_protect(m, page, m->page, flags & GP_PROT);
    return r;
}

size_t gmem_access(struct gmem *m, uint64_t addr, void *buf, size_t len, bool write)
{
    size_t done = 0;
    while (done < len) {
        uint64_t at = addr + done;
        size_t part = MIN(len - done, (size_t)(m->page - at % m->page));
        if (at < addr || at >= m->limit || access_page(m, at, (char *)buf + done, part, write)) break;
        done += part;
    }
    return done;
}

int64_t gmem_strlen(struct gmem *m, uint64_t addr, size_t max)
{
    size_t n = 0;
    char buf[256];
    while (n <= max) {
        /* up to the end of the page, so that the next page need not exist */
        size_t chunk = MIN(sizeof buf, (size_t)(m->page - ((addr + n) & (m->page - 1))));
        if (gmem_read(m, buf, addr + n, chunk, NULL)) return -EFAULT;
        char *nul = memchr(buf, 0, chunk);
        if (nul) return n + (size_t)(nul - buf) <= max ? (int64_t)(n + (size_t)(nul - buf)) : -ENAMETOOLONG;
        n += chunk;
    }
    return -ENAMETOOLONG;
}

void *gmem_ptr(struct gmem *m, uint64_t addr, size_t len, unsigned prot)
{
    return access_check(m, addr, len, prot, NULL) ? NULL : host(m, addr);
}

/* --- code -------------------------------------------------------------------------------------------------------- */

size_t gmem_fetch(struct gmem *m, uint64_t addr, uint8_t *buf, size_t want)
{
    size_t got = 0;
    while (got < want) {
        uint64_t at = addr + got, page = ALIGN_DOWN(at, (uint64_t)m->page);
        if (at >= m->limit) break;
        size_t chunk = MIN(want - got, (size_t)(page + m->page - at));
        pthread_rwlock_rdlock(&m->lock);
        bool exec = flags_at(m, at) & GP_EXEC, known = exec && code_has(m, page);
        pthread_rwlock_unlock(&m->lock);
        if (!exec) break;
        if (!known) {
            pthread_rwlock_wrlock(&m->lock);
            unsigned f = flags_at(m, page);
            if (f & GP_EXEC) {
                code_add(m, page);
                if (f & GP_WRITE) mprotect(host(m, page), m->page, PROT_READ);
            }
            pthread_rwlock_unlock(&m->lock);
        }
        size_t left = gmem_copy_guarded(buf + got, host(m, at), chunk);
        got += chunk - left;
        if (left) break;
    }
    return got;
}

void gmem_on_code_write(struct gmem *m, void (*fn)(void *ctx, uint64_t start, uint64_t end), void *ctx)
{
    m->on_write = fn;
    m->on_write_ctx = ctx;
}

void gmem_icache_flush(struct gmem *m, uint64_t start, uint64_t end)
{
    /* RISC-V programs that make code do this before they run any: without the lock where there is nothing to do */
    if (__atomic_load_n(&m->private_gen, __ATOMIC_ACQUIRE) == __atomic_load_n(&m->gen, __ATOMIC_ACQUIRE)) return;
    start = ALIGN_DOWN(start, (uint64_t)m->page);
    end = MIN(ALIGN_UP(MIN(end, m->limit), (uint64_t)m->page), m->limit);
    pthread_rwlock_rdlock(&m->lock);
    uint32_t i = range_at(m, start);
    /* maintenance by the address that was written concerns every other mapping of the same memory */
    for (uint32_t k = i; k < m->n && m->r[k].start < end; k++) {
        if ((m->r[k].flags & (GP_SHARED | GP_EXEC)) != GP_SHARED) continue;
        start = i = 0;
        end = m->limit;
        break;
    }
    bool all = !start && end == m->limit, some = false;
    while (i < m->n && m->r[i].start < end) {
        struct range r = m->r[i++];
        if (!(r.flags & GP_SHARED && r.flags & GP_EXEC)) continue;
        some = true;
        if (!m->on_write) continue;
        pthread_rwlock_unlock(&m->lock);
        m->on_write(m->on_write_ctx, MAX(start, r.start), MIN(end, r.end));
        pthread_rwlock_rdlock(&m->lock);
        i = range_at(m, r.end);
    }
    if (all && !some) __atomic_store_n(&m->private_gen, m->gen, __ATOMIC_RELEASE);
    pthread_rwlock_unlock(&m->lock);
}

bool gmem_code_fault(struct gmem *m, uint64_t addr)
{
    uint64_t page = ALIGN_DOWN(addr, (uint64_t)m->page);
    pthread_rwlock_wrlock(&m->lock);
    uint64_t end = page + m->page;
    bool writable = flags_at(m, page) & GP_WRITE, code = writable && code_release(m, page, end);
    if (writable && !code && mprotect(host(m, page), m->page, host_prot(flags_at(m, page)))) {
        /* the host has no mapping left for a page of its own: all of the range becomes writable */
        struct range r = m->r[range_at(m, page)];
        code = code_release(m, page = r.start, end = r.end);
        writable = !mprotect(host(m, page), end - page, host_prot(r.flags));
    }
    unlock_and_tell(m, code, page, end);
    /* writable without code: another thread resolved the same fault just before; the access is simply retried */
    return writable;
}

bool gmem_guest_addr(const struct gmem *m, const void *p, uint64_t *addr)
{
    uint64_t a = (uintptr_t)p - m->base;
    if (a >= m->limit) return false;
    *addr = a;
    return true;
}

void gmem_fork_prepare(struct gmem *m)
{
    pthread_rwlock_wrlock(&m->lock);
}

void gmem_fork_done(struct gmem *m, bool child)
{
    if (child)
        pthread_rwlock_init(&m->lock, NULL); /* its owner has another thread id here */
    else
        pthread_rwlock_unlock(&m->lock);
}
