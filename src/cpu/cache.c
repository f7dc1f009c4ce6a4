/*
 * cache.c: the code cache. One memory file mapped twice (written through one view, run through the other), cut into
 * segments that are evicted whole, oldest first; the table of regions by pc and mode; the index by guest page.
 *
 * A region that is dead (its guest code changed, or its segment is evicted) is out of the table, unchained, and out of
 * every jump cache; a CPU may still be inside. Its memory is reused with its segment, after every CPU has been outside
 * of generated code once.
 */
#include "cpu/engine.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t region_hash(const struct region_table *t, uint64_t pc, uint32_t mode, uint64_t key)
{
    return (pc >> t->shift) ^ cpu_mode_tag(mode) ^ (key >> 12) * 0x9e3779b97f4a7c15 >> 40;
}

/* Slots of neighbouring pcs are neighbours: a program touches few pages of the table. */
static struct region **region_slot(struct region_table *t, uint64_t h)
{
    return &t->slot[(h ^ h >> t->bits ^ h >> 2 * t->bits) & ((1u << t->bits) - 1)];
}

/* Byte and bit of the filter. */
static uint8_t *filter_at(struct region_table *t, uint64_t h, uint8_t *bit)
{
    uint64_t x = h * 0x9e3779b97f4a7c15;
    *bit = (uint8_t)(1u << (x >> 61));
    return (uint8_t *)(t->slot + (1ull << t->bits)) + (x >> 29 & ((1u << t->bits) - 1));
}

static struct region_table *table_new(uint32_t bits, unsigned insn_align)
{
    struct region_table *t = xalloc(sizeof *t + ((sizeof t->slot[0] + 1) << bits));
    t->bits = bits;
    t->shift = insn_align >= 4 ? 2 : insn_align >= 2;
    return t;
}

static uint32_t page_hash(uint64_t page)
{
    uint64_t h = page >> 12;
    return (uint32_t)(h ^ h >> PAGE_HASH_BITS) & ((1u << PAGE_HASH_BITS) - 1);
}

/* --- memory --------------------------------------------------------------------------------------------------- */

/* fd < 0: no descriptor was to be had; a shared mapping of nothing can be doubled as well. */
static int map_views(struct engine *en, int fd, bool fixed)
{
    int flags = MAP_SHARED | (fixed ? MAP_FIXED : 0) | (fd < 0 ? MAP_ANONYMOUS | MAP_NORESERVE : 0);
    uint8_t *rw = mmap(fixed ? en->rw : NULL, en->cache_bytes, PROT_READ | PROT_WRITE, flags, fd, 0), *rx;
    if (rw == MAP_FAILED) return -errno;
    if (fd < 0)
        rx = mremap(rw, 0, en->cache_bytes, MREMAP_MAYMOVE | (fixed ? MREMAP_FIXED : 0), en->rw + en->delta);
    else
        rx = mmap(fixed ? en->rw + en->delta : NULL, en->cache_bytes, PROT_READ | PROT_EXEC, flags, fd, 0);
    if (rx == MAP_FAILED || (fd < 0 && mprotect(rx, en->cache_bytes, PROT_READ | PROT_EXEC))) {
        int error = errno;
        if (!fixed) munmap(rw, en->cache_bytes);
        return -error;
    }
    en->rw = rw;
    en->delta = rx - rw;
    return 0;
}

static int new_memfd(size_t bytes)
{
    int fd = memfd_create("lyrebird-code", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    if (ftruncate(fd, (off_t)bytes)) {
        int error = errno;
        close(fd);
        return -error;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 1000); /* out of the way of the guest's descriptors */
    if (high < 0) return fd;
    close(fd);
    return high;
}

int cache_init(struct engine *en, struct err *e)
{
    en->cache_bytes = ALIGN_UP(en->cfg.cache_bytes ? en->cfg.cache_bytes : (size_t)128 << 20, (size_t)1 << 20);
    en->memfd = -1;
    if (en->host->needs_exec) {
        int fd = new_memfd(en->cache_bytes), ret = map_views(en, fd, false);
        if (fd >= 0) close(fd); /* the mappings keep it */
        if (ret)
            return err_set(e, -ret, "cannot map %zu MiB of code cache writable and executable: %s", en->cache_bytes >> 20,
                           strerror(-ret));
    } else {
        /* only address-like room to hand out; never touched */
        en->rw = mmap(NULL, en->cache_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (en->rw == MAP_FAILED) return err_set(e, errno, "cannot reserve the code cache: %s", strerror(errno));
    }
    en->table = table_new(REGION_HASH_MIN, en->guest->insn_align);
    en->membarrier = !syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    size_t each = en->cache_bytes / CACHE_SEGMENTS;
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        en->seg[i].rw = en->seg[i].fill = en->rw + i * each;
        en->seg[i].end = en->seg[i].rw + each;
    }
    return 0;
}

/* Best effort; a small program is left to its few faults. */
void cache_touch(struct engine *en)
{
#ifdef MADV_POPULATE_WRITE
    enum { LEAST = 1 << 16, MOST = 1 << 19 };
    struct segment *s = &en->seg[en->cur];
    size_t n = MIN(ALIGN_DOWN((size_t)(s->fill - en->rw) / 4, (size_t)LEAST), (size_t)MOST);
    if (s->fill < s->touched || !n || !en->host->needs_exec) return;
    uint8_t *from = (uint8_t *)ALIGN_UP((uintptr_t)s->fill, (uintptr_t)4096);
    n = MIN(n, (size_t)(s->end - from));
    s->touched = from + n;
    if (n && !madvise(from, n, MADV_POPULATE_WRITE)) madvise(from + en->delta, n, MADV_POPULATE_READ);
#endif
}

static void region_free(struct engine *en, struct region *r)
{
    if (r->host_data && en->host->release) en->host->release(en->hh, r);
    free(r->exits);
    free(r->maps);
    free(r);
}

static void segment_free(struct engine *en, struct segment *s)
{
    uint32_t n = s->n;
    __atomic_store_n(&s->n, 0, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < n; i++) region_free(en, s->by_addr[i]);
}

void cache_done(struct engine *en)
{
    cache_flush(en);
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        segment_free(en, &en->seg[i]);
        free(en->seg[i].by_addr);
    }
    free(en->table);
    for (uint32_t i = 0; i < en->nretired; i++) free(en->retired[i]);
    free(en->retired);
    if (!en->rw) return;
    munmap(en->rw, en->cache_bytes);
    if (en->host->needs_exec) munmap(en->rw + en->delta, en->cache_bytes);
}

/* --- look-up -------------------------------------------------------------------------------------------------- */

/* System mode: the pages after the first are where they were when the region was made. */
static bool pages_hold(struct vcpu *v, const struct region *r)
{
    struct code_page p;
    for (uint32_t i = 1, n = __atomic_load_n(&r->npages, __ATOMIC_RELAXED); i < n; i++)
        if (!soft_code_page(v, r->page[i].va, true, &p) || code_page_key(&p) != r->page[i].page) return false;
    return true;
}

struct region *cache_find(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, uint64_t key)
{
    struct region_table *t = __atomic_load_n(&en->table, __ATOMIC_ACQUIRE);
    uint64_t h = region_hash(t, pc, mode, key);
    uint8_t bit, *f = filter_at(t, h, &bit);
    if (!(__atomic_load_n(f, __ATOMIC_ACQUIRE) & bit)) return NULL;
    struct region *r = __atomic_load_n(region_slot(t, h), __ATOMIC_ACQUIRE);
    while (r && (r->pc != pc || r->mode != mode || r->key != key || (v->soft && !pages_hold(v, r))))
        r = __atomic_load_n(&r->hash_next, __ATOMIC_ACQUIRE);
    return r;
}

static uint32_t full_hash(uint64_t pc)
{
    return (uint32_t)(pc >> 1 ^ pc >> (1 + FULL_BITS)) & ((1u << FULL_BITS) - 1);
}

bool cache_has_full(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, uint64_t key)
{
    uint32_t h = full_hash(pc);
    if (!(en->full[h / 64] >> h % 64 & 1)) return false;
    const struct region *r = cache_find(en, v, pc, mode, key);
    return r && !r->counter;
}

bool cache_shares_checks(const struct engine *en, uint64_t pc)
{
    uint32_t h = full_hash(pc);
    return !(en->lone[h / 64] >> h % 64 & 1);
}

void soft_bad_check(struct vcpu *v, struct region *r)
{
    enum { TOO_MANY = 64 };
    struct engine *en = v->engine;
    if (__atomic_add_fetch(&r->bad_checks, 1, __ATOMIC_RELAXED) != TOO_MANY) return;
    pthread_mutex_lock(&en->lock);
    uint32_t h = full_hash(r->pc);
    en->lone[h / 64] |= 1ull << h % 64;
    cache_kill(en, r);
    pthread_mutex_unlock(&en->lock);
}

struct region *cache_find_host(struct engine *en, uintptr_t hpc)
{
    uintptr_t off = hpc - (uintptr_t)(en->rw + en->delta);
    if (!en->host->needs_exec || off >= en->cache_bytes) return NULL;
    struct segment *s = &en->seg[off / (en->cache_bytes / CACHE_SEGMENTS)];
    uint32_t lo = 0, hi = __atomic_load_n(&s->n, __ATOMIC_ACQUIRE);
    struct region **a = __atomic_load_n(&s->by_addr, __ATOMIC_ACQUIRE);
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        uintptr_t start = (uintptr_t)a[mid]->code_base;
        if (hpc < start)
            hi = mid;
        else if (hpc >= start + a[mid]->code_size)
            lo = mid + 1;
        else
            return a[mid];
    }
    return NULL;
}

static void table_add(struct region_table *t, struct region *r)
{
    uint64_t h = region_hash(t, r->pc, r->mode, r->key);
    struct region **head = region_slot(t, h);
    uint8_t bit, *f = filter_at(t, h, &bit);
    __atomic_store_n(&r->hash_next, *head, __ATOMIC_RELAXED);
    __atomic_store_n(head, r, __ATOMIC_RELEASE);
    __atomic_store_n(f, *f | bit, __ATOMIC_RELEASE);
}

/* The filter has bits of too many regions that are gone: it is made anew. A reader that meets it meanwhile may miss a region. */
static void filter_renew(struct region_table *t)
{
    uint8_t *filter = (uint8_t *)(t->slot + (1ull << t->bits));
    for (uint64_t i = 0; i < 1ull << t->bits; i++) __atomic_store_n(&filter[i], 0, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < 1u << t->bits; i++)
        for (struct region *r = t->slot[i]; r; r = r->hash_next) {
            uint8_t bit, *f = filter_at(t, region_hash(t, r->pc, r->mode, r->key), &bit);
            __atomic_store_n(f, *f | bit, __ATOMIC_RELEASE);
        }
    t->added = 0;
}

/* What readers without the lock may still hold is freed with the engine. */
static void retire(struct engine *en, void *p)
{
    en->retired = vec_grow(en->retired, &en->cap_retired, en->nretired + 1, sizeof *en->retired);
    en->retired[en->nretired++] = p;
}

/* Readers may hold the old table: it is left to them, empty. */
static void table_double(struct engine *en)
{
    struct region_table *old = en->table, *t = table_new(old->bits + 1, en->guest->insn_align);
    for (uint32_t i = 0; i < 1u << old->bits; i++) {
        struct region *next;
        for (struct region *r = old->slot[i]; r; r = next) {
            next = r->hash_next;
            table_add(t, r);
        }
        __atomic_store_n(&old->slot[i], NULL, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&en->table, t, __ATOMIC_RELEASE);
    retire(en, old);
}

void cache_insert(struct engine *en, struct region *r, uint8_t *new_fill, bool findable)
{
    struct segment *s = &en->seg[en->cur];
    if (s->n == s->cap) {
        /* readers may hold the old array: it is left to them (a handful of doublings per segment) */
        uint32_t cap = s->cap ? s->cap * 2 : 256;
        struct region **a = xalloc(cap * sizeof(*a)), **old = s->by_addr;
        if (s->n) memcpy(a, old, s->n * sizeof(*a));
        __atomic_store_n(&s->by_addr, a, __ATOMIC_RELEASE);
        if (old) retire(en, old);
        s->cap = cap;
    }
    s->by_addr[s->n] = r;
    __atomic_store_n(&s->n, s->n + 1, __ATOMIC_RELEASE);
    s->fill = new_fill;
    r->segment = (uint8_t)en->cur;
    for (uint32_t i = 0; i < r->npages; i++) {
        struct page_node *n = &r->page[i], **head = &en->pages[page_hash(n->page)];
        n->region = r;
        n->next = *head;
        n->link = head;
        if (n->next) n->next->link = &n->next;
        *head = n;
    }
    __atomic_store_n(&r->dead, !findable, __ATOMIC_RELEASE); /* all else was written; x86_trap and the like read it first */
    if (!findable) return;
    if (++en->nfindable > 1u << en->table->bits) table_double(en);
    else if (++en->table->added > 2u << en->table->bits) filter_renew(en->table);
    if (!r->counter) en->full[full_hash(r->pc) / 64] |= 1ull << full_hash(r->pc) % 64;
    table_add(en->table, r);
    __atomic_store_n(&en->ninserted, en->ninserted + 1, __ATOMIC_RELEASE);
}

/* --- chains --------------------------------------------------------------------------------------------------- */

/* System mode: who may run `from` may run `to`, because all its pages are pages of `from`. */
static bool within(const struct region *from, const struct region *to)
{
    for (uint32_t i = 0; i < to->npages; i++) {
        uint32_t k = 0;
        while (k < from->npages && (from->page[k].va != to->page[i].va || from->page[k].page != to->page[i].page)) k++;
        if (k == from->npages) return false;
    }
    return true;
}

void cache_chain(struct engine *en, struct exit_slot *slot, struct region *to)
{
    if (en->cfg.sysmem && !within(slot->from, to)) return;
    if (slot->to || slot->from->dead || to->dead || en->cfg.nochain) return;
    slot->to = to;
    slot->next = to->incoming;
    to->incoming = slot;
    en->host->patch(en->hh, en->delta, slot, to);
    en->stats.chains++;
}

static void unchain(struct engine *en, struct exit_slot *slot)
{
    struct exit_slot **p = &slot->to->incoming;
    while (*p != slot) p = &(*p)->next;
    *p = slot->next;
    slot->to = NULL;
    en->host->patch(en->hh, en->delta, slot, NULL);
}

/* Takes a region out of everything by which a CPU could enter it again. */
void cache_kill(struct engine *en, struct region *r)
{
    if (!r->dead) {
        struct region **p = region_slot(en->table, region_hash(en->table, r->pc, r->mode, r->key));
        while (*p != r) p = &(*p)->hash_next;
        __atomic_store_n(p, r->hash_next, __ATOMIC_RELEASE);
        en->nfindable--;
        __atomic_store_n(&r->dead, true, __ATOMIC_SEQ_CST);
    }
    while (r->incoming) unchain(en, r->incoming);
    for (uint32_t i = 0; i < r->nexits; i++)
        if (r->exits[i].to) unchain(en, &r->exits[i]);
    for (uint32_t i = 0; i < r->npages; i++) {
        struct page_node *n = &r->page[i];
        *n->link = n->next;
        if (n->next) n->next->link = n->link;
    }
    r->npages = 0;
    /* A CPU that fills its entry at this moment looks at r->dead afterwards (exec.c). */
    for (struct vcpu *v = en->cpus; v; v = v->next) {
        struct jc_entry *j = &v->jc[jc_slot(r->pc, v->insn4)];
        if (__atomic_load_n(&j->code, __ATOMIC_SEQ_CST) == r->code)
            __atomic_store_n(&j->tag, jc_empty(jc_slot(r->pc, v->insn4)), __ATOMIC_SEQ_CST);
    }
}

/* Makes every CPU leave generated code soon and look its pc up again. */
static void kick_all(struct engine *en)
{
    for (struct vcpu *v = en->cpus; v; v = v->next)
        __atomic_or_fetch(&v->cpu->exit_request, REQ_ENGINE, __ATOMIC_SEQ_CST);
}

/* Kills the regions of a page that have code in its bytes [lo, hi]. True if there were any. */
static bool page_kill(struct engine *en, uint64_t page, uint64_t lo, uint64_t hi)
{
    bool any = false, left = false;
    struct ram *ram = NULL;
    for (struct page_node *n = en->pages[page_hash(page)]; n;) {
        if (n->page != page || n->lo > hi || n->hi < lo) {
            left |= n->page == page;
            n = n->next;
            continue;
        }
        ram = n->ram;
        cache_kill(en, n->region);
        any = true;
        left = false;
        en->stats.invalidated++;
        n = en->pages[page_hash(page)];
    }
    if (en->cfg.sysmem && !ram && !left) ram = mem_ram_at(en->cfg.sysmem, page); /* its regions were evicted */
    if (ram && !left) soft_unmark_code(ram, page);
    return any;
}

void cache_kill_page(struct engine *en, uint64_t page)
{
    if (page_kill(en, page, 0, UINT16_MAX)) kick_all(en);
}

void engine_invalidate(struct engine *en, uint64_t start, uint64_t end)
{
    uint64_t page = en->mem ? gmem_page(en->mem) : RAM_PAGE;
    bool any = false;
    if (start >= end) return;
    pthread_mutex_lock(&en->lock);
    if ((end - start) / page > 1u << PAGE_HASH_BITS) {
        for (unsigned h = 0; h < 1u << PAGE_HASH_BITS; h++) {
            for (struct page_node *n = en->pages[h]; n;) {
                if (n->page >= start && n->page < end) {
                    any |= page_kill(en, n->page, 0, UINT16_MAX);
                    n = en->pages[h];
                } else {
                    n = n->next;
                }
            }
        }
    } else {
        for (uint64_t a = ALIGN_DOWN(start, page); a < end; a += page) {
            uint64_t lo = en->mem || a > start ? 0 : start - a, hi = en->mem || end - a >= page ? UINT16_MAX : end - a - 1;
            any |= page_kill(en, a, lo, hi);
        }
    }
    if (any) kick_all(en);
    pthread_mutex_unlock(&en->lock);
}

void engine_icache_flush(struct engine *en, uint64_t start, uint64_t end)
{
    if (!en->mem) { /* writes are noticed, but for those under way when the code was read */
        soft_suspects(en);
        return;
    }
    gmem_icache_flush(en->mem, start, end);
}

/* --- eviction ------------------------------------------------------------------------------------------------- */

static void segment_kill(struct engine *en, struct segment *s)
{
    for (uint32_t i = 0; i < s->n; i++) cache_kill(en, s->by_addr[i]);
}

void cache_flush(struct engine *en)
{
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) segment_kill(en, &en->seg[i]);
    kick_all(en);
    __atomic_store_n(&en->evictions, en->evictions + 1, __ATOMIC_RELEASE);
}

bool cache_quiescent_since(struct engine *en, struct vcpu *self, uint64_t epoch)
{
    for (struct vcpu *v = en->cpus; v; v = v->next)
        if (v != self && __atomic_load_n(&v->quiescent, __ATOMIC_SEQ_CST) < epoch) return false;
    return true;
}

/*
 * The lock is let go while waiting: a CPU that has to leave generated code may be in a fault handler that wants it. Others that
 * need room meanwhile wait for this eviction to end.
 */
void cache_next_segment(struct engine *en, struct vcpu *self)
{
    uint32_t seen = en->evictions;
    while (en->evicting) exec_relock(en, self);
    if (en->evictions != seen) return; /* another CPU made room */
    en->cur = (en->cur + 1) % CACHE_SEGMENTS;
    struct segment *s = &en->seg[en->cur];
    if (!s->n) return;
    en->evicting = true;
    s->fill = s->end; /* another CPU's small region might fit the rest of it while the lock is let go, and be freed with it */
    segment_kill(en, s);
    uint64_t epoch = __atomic_add_fetch(&en->epoch, 1, __ATOMIC_SEQ_CST);
    kick_all(en);
    if (en->membarrier) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0); /* see quiesce() */
    while (!cache_quiescent_since(en, self, epoch)) exec_relock(en, self);
    segment_free(en, s);
    s->fill = s == &en->seg[0] ? en->rw + en->thunk_bytes : s->rw;
    en->stats.flushes++;
    __atomic_store_n(&en->evictions, en->evictions + 1, __ATOMIC_RELEASE);
    en->evicting = false;
}

void soft_sync(struct vcpu *self)
{
    struct engine *en = self->engine;
    bool alone = true;
    for (struct vcpu *v = en->cpus; v; v = v->next) {
        if (v == self || __atomic_load_n(&v->quiescent, __ATOMIC_SEQ_CST) == UINT64_MAX) continue;
        alone = false;
        __atomic_or_fetch(&v->cpu->exit_request, REQ_ENGINE, __ATOMIC_SEQ_CST);
    }
    if (alone) return;
    __atomic_store_n(&self->quiescent, UINT64_MAX, __ATOMIC_RELEASE);
    uint64_t epoch = __atomic_add_fetch(&en->epoch, 1, __ATOMIC_SEQ_CST);
    if (en->membarrier) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    kick_all(en);
    while (!cache_quiescent_since(en, self, epoch)) sched_yield();
}

/* --- fork ------------------------------------------------------------------------------------------------------ */

/*
 * The cache is shared memory: after fork the child needs its own. A small cache is copied (the child goes on warm), a big one
 * starts empty but for the thunks. Returns the new file or -errno; the caller holds the lock, so nothing changes meanwhile.
 */
int cache_fork_prepare(struct engine *en)
{
    if (!en->host->needs_exec) return -1;
    size_t used = 0;
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) used += (size_t)(en->seg[i].fill - en->seg[i].rw);
    en->fork_copied = used <= (size_t)8 << 20;
    int fd = new_memfd(en->cache_bytes);
    if (fd < 0) return fd;
    for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
        struct segment *s = &en->seg[i];
        size_t len = en->fork_copied ? (size_t)(s->fill - s->rw) : i ? 0 : en->thunk_bytes;
        off_t at = s->rw - en->rw;
        for (size_t done = 0; done < len;) {
            ssize_t w = pwrite(fd, s->rw + done, len - done, at + (off_t)done);
            if (w <= 0) {
                close(fd);
                return -ENOSPC;
            }
            done += (size_t)w;
        }
    }
    return fd;
}

int cache_fork_child(struct engine *en, int fd)
{
    if (!en->host->needs_exec) return 0;
    uint8_t *thunks = fd < 0 ? xalloc(en->thunk_bytes) : NULL;
    if (thunks) memcpy(thunks, en->rw, en->thunk_bytes);
    int ret = map_views(en, fd, true);
    if (thunks && !ret) memcpy(en->rw, thunks, en->thunk_bytes);
    free(thunks);
    if (fd < 0 || !en->fork_copied) {
        for (unsigned i = 0; i < CACHE_SEGMENTS; i++) {
            segment_kill(en, &en->seg[i]);
            segment_free(en, &en->seg[i]);
            en->seg[i].fill = i ? en->seg[i].rw : en->rw + en->thunk_bytes;
        }
        __atomic_store_n(&en->evictions, en->evictions + 1, __ATOMIC_RELEASE);
        en->cur = 0;
    }
    if (fd >= 0) close(fd);
    return ret;
}
