/*
 * ram.c: blocks of guest RAM: host memory, what is known of each page, copies.
 *
 * Who writes to a page and who translates code from it meet in page[]: a writer writes first and looks for RAM_CODE then, a translator
 * sets RAM_CODE first and reads then; so one of them sees the other. Known gaps: huge pages of hugetlbfs, NUMA policies.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mem/space.h"

enum { HUGE = 2 << 20 };

static void *map_host(uint64_t size, int fd)
{
    /* Where huge pages fit in: 2 MiB more, and the ends go again. */
    uint64_t slack = size >= HUGE ? HUGE : 0;
    uint8_t *p = mmap(NULL, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), *q;
    if (p == MAP_FAILED) return NULL;
    q = slack ? (uint8_t *)ALIGN_UP((uintptr_t)p, (uintptr_t)HUGE) : p;
    if (mmap(q, size, PROT_READ | PROT_WRITE, (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | MAP_NORESERVE | MAP_FIXED, fd, 0) ==
        MAP_FAILED) {
        munmap(p, size + slack);
        return NULL;
    }
    if (q > p) munmap(p, (size_t)(q - p));
    if (p + slack > q) munmap(q + size, (size_t)(p + slack - q));
    if (slack) madvise(q, size, MADV_HUGEPAGE);
    return q;
}

static void release(struct ram *r)
{
    munmap(r->host, r->size);
    munmap(r->page, r->size >> RAM_PAGE_BITS);
    if (r->fd >= 0) close(r->fd);
    free((char *)(uintptr_t)r->id);
    free(r);
}

static bool id_taken(struct mem *m, const char *id)
{
    for (struct ram *r = m->rams; r; r = r->next)
        if (!r->gone && !strcmp(r->id, id)) return true;
    return false;
}

struct ram *ram_new(struct mem *m, const char *id, uint64_t size, bool share, struct err *e)
{
    int fd = -1;
    if (!size || size & (RAM_PAGE - 1) || size > 1ull << 46) {
        err_set(e, EINVAL, "RAM '%s': a size of %llu bytes is not a multiple of %d up to 64 TiB", id, (unsigned long long)size, RAM_PAGE);
        return NULL;
    }
    if (share) {
        fd = memfd_create(id, MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
            err_set(e, errno, "RAM '%s': no memory file of %llu bytes: %s", id, (unsigned long long)size, strerror(errno));
            if (fd >= 0) close(fd);
            return NULL;
        }
    }
    uint8_t *host = map_host(size, fd);
    void *page = host ? mmap(NULL, size >> RAM_PAGE_BITS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                      : MAP_FAILED;
    if (page == MAP_FAILED) {
        err_set(e, ENOMEM, "RAM '%s': cannot allocate %llu MiB of memory", id, (unsigned long long)(size >> 20));
        if (host) munmap(host, size);
        if (fd >= 0) close(fd);
        return NULL;
    }
    struct ram *r = xalloc(sizeof *r);
    *r = (struct ram){ .id = strdup(id), .host = host, .size = size, .page = page, .fd = fd, .mem = m };
    pthread_mutex_lock(&m->lock);
    bool taken = !r->id || id_taken(m, id);
    if (!taken) {
        r->base = m->next_base;
        m->next_base += ALIGN_UP(size, (uint64_t)HUGE) + HUGE; /* a gap: a run of code never goes from one block into the next */
        r->next = m->rams;
        m->rams = r;
    }
    pthread_mutex_unlock(&m->lock);
    if (taken) {
        err_set(e, EEXIST, "there is RAM of the name '%s' already", id);
        release(r);
        return NULL;
    }
    return r;
}

static void unlink_ram(struct mem *m, struct ram *r)
{
    for (struct ram **p = &m->rams; *p; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            break;
        }
}

void ram_free(struct ram *r)
{
    if (!r) return;
    struct mem *m = r->mem;
    pthread_mutex_lock(&m->lock);
    bool now = !r->pins;
    r->gone = true;
    if (now) unlink_ram(m, r);
    pthread_mutex_unlock(&m->lock);
    if (now) release(r);
}

bool ram_pin(struct ram *r)
{
    pthread_mutex_lock(&r->mem->lock);
    bool ok = !r->gone && r->pins < UINT32_MAX;
    if (ok) r->pins++;
    pthread_mutex_unlock(&r->mem->lock);
    return ok;
}

void ram_unpin(struct mem *m, const void *host, uint64_t written)
{
    pthread_mutex_lock(&m->lock);
    struct ram *r = m->rams;
    const uint8_t *p = host;
    while (r && !(p >= r->host && p < r->host + r->size)) r = r->next;
    pthread_mutex_unlock(&m->lock);
    if (!r) return;
    ram_written(r, (uint64_t)(p - r->host), written); /* the pin still holds it */
    pthread_mutex_lock(&m->lock);
    bool last = r->pins && !--r->pins && r->gone;
    if (last) unlink_ram(m, r);
    pthread_mutex_unlock(&m->lock);
    if (last) release(r);
}

/* --- bytes --------------------------------------------------------------------------------------------------------------- */

static bool inside(const struct ram *r, uint64_t off, uint64_t len)
{
    return off <= r->size && len <= r->size - off;
}

bool ram_read(const struct ram *r, uint64_t off, void *buf, uint64_t len)
{
    if (!inside(r, off, len)) return false;
    memcpy(buf, r->host + off, len);
    return true;
}

bool ram_write(struct ram *r, uint64_t off, const void *buf, uint64_t len)
{
    if (!inside(r, off, len)) return false;
    memcpy(r->host + off, buf, len);
    ram_written(r, off, len);
    return true;
}

uint64_t ram_ld(const struct ram *r, uint64_t off, unsigned size)
{
    const uint8_t *p = r->host + off;
    uint64_t v = 0;
    if (!((uintptr_t)p & (size - 1))) switch (size) {
    case 1: return __atomic_load_n(p, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n((const uint16_t *)(const void *)p, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_RELAXED);
    case 8: return __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_RELAXED);
    }
    memcpy(&v, p, MIN(size, 8u));
    return v;
}

void ram_st(struct ram *r, uint64_t off, unsigned size, uint64_t val)
{
    uint8_t *p = r->host + off;
    if (!((uintptr_t)p & (size - 1))) switch (size) {
    case 1: __atomic_store_n(p, (uint8_t)val, __ATOMIC_RELAXED); break;
    case 2: __atomic_store_n((uint16_t *)(void *)p, (uint16_t)val, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((uint32_t *)(void *)p, (uint32_t)val, __ATOMIC_RELAXED); break;
    case 8: __atomic_store_n((uint64_t *)(void *)p, val, __ATOMIC_RELAXED); break;
    } else {
        memcpy(p, &val, MIN(size, 8u));
    }
    ram_written(r, off, size);
}

/* --- what is known of pages ------------------------------------------------------------------------------------------------ */

void ram_written(struct ram *r, uint64_t off, uint64_t len)
{
    if (!len || !inside(r, off, len)) return;
    uint8_t track = __atomic_load_n(&r->track, __ATOMIC_RELAXED);
    uint64_t first = off >> RAM_PAGE_BITS, last = (off + len - 1) >> RAM_PAGE_BITS;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the bytes before the look */
    for (uint64_t i = first; i <= last; i++) {
        uint8_t was = __atomic_load_n(&r->page[i], __ATOMIC_RELAXED);
        if ((was & track) != track) __atomic_fetch_or(&r->page[i], track, __ATOMIC_RELAXED);
        if (likely(!(was & RAM_CODE))) continue;
        uint64_t a = MAX(off, i << RAM_PAGE_BITS), b = MIN(off + len - 1, (i << RAM_PAGE_BITS) + RAM_PAGE - 1);
        for (struct mem_listener *l = r->mem->listeners; l; l = l->next)
            if (l->code_written) l->code_written(l->ctx, r->base + a, r->base + b);
    }
}

static void tell_track(struct ram *r)
{
    for (struct mem_listener *l = r->mem->listeners; l; l = l->next)
        if (l->track_changed) l->track_changed(l->ctx, r);
}

bool ram_dirty_take(struct ram *r, unsigned kind, uint64_t off, uint64_t len)
{
    bool dirty = false, fast = false;
    kind &= RAM_DIRTY;
    if (!len || !kind || !inside(r, off, len)) return false;
    uint64_t first = off >> RAM_PAGE_BITS, last = (off + len - 1) >> RAM_PAGE_BITS;
    for (uint64_t i = first; i <= last; i++) {
        if (!(__atomic_load_n(&r->page[i], __ATOMIC_RELAXED) & kind)) continue;
        uint8_t was = __atomic_fetch_and(&r->page[i], (uint8_t)~(kind | RAM_WRITTEN_FAST), __ATOMIC_RELAXED);
        dirty |= (was & kind) != 0;
        fast |= (was & RAM_WRITTEN_FAST) != 0;
    }
    /* A CPU that writes past the look until this returns wrote before the caller reads. */
    if (fast) tell_track(r);
    return dirty;
}

void ram_track(struct ram *r, unsigned kinds)
{
    uint8_t fresh = (uint8_t)(kinds & RAM_DIRTY & ~r->track);
    if (fresh) /* nothing is known yet: all of it is new to who asks */
        for (uint64_t i = 0; i < r->size >> RAM_PAGE_BITS; i++) __atomic_fetch_or(&r->page[i], fresh, __ATOMIC_RELAXED);
    __atomic_store_n(&r->track, (uint8_t)(kinds & RAM_DIRTY), __ATOMIC_RELAXED);
}

struct ram *mem_ram_at(struct mem *m, uint64_t base)
{
    pthread_mutex_lock(&m->lock);
    struct ram *r = m->rams;
    while (r && base - r->base >= r->size) r = r->next;
    pthread_mutex_unlock(&m->lock);
    return r;
}
