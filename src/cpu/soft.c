/*
 * soft.c: memory in system mode: address spaces and their software TLBs, accesses that generated code cannot do by itself (misses,
 * page crossings, device registers, pages with code), flushes, code pages.
 *
 * Locking: each CPU's `lock` guards its tables against flushes by others; the owner takes it to change them, not to read them. Order:
 * engine, then one CPU's at a time, then mem's. Generated code reads entries without a lock: a flush overwrites tags only, and who needs
 * accesses under way to be over waits for them (soft_sync).
 */
#include "cpu/engine.h"
#include "cpu/soft.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    VICTIMS = 8, FLUSH_LOOK = 512, EXEC_FILTER_BITS = 16, EXEC_FILTER = 1 << EXEC_FILTER_BITS, GROW_AFTER = 2,
    LARGE_BITS = 11, /* log2 of the bits of tlb_space.large */
    WRITTEN_BITS = 12
};

/* The C side of an entry. */
struct full {
    uint64_t va;           /* address of the page, | 1 if valid */
    uint64_t phys;         /* of the page */
    struct ram *ram;       /* NULL: device registers or nothing */
    uint64_t ram_off;
    struct mem_attr attr;
    uint8_t prot, page_bits;
    bool rd_ok, wr_ok;     /* reads and writes go straight to RAM, but for what RAM_* says of the page */
    bool global, device;
};

/* What code of all address spaces of one regime shares (the key without its ASID). */
struct regime {
    uint64_t key, tag, used, salt; /* salt: its pages in the filter of executed pages */
    bool hit;              /* flush_one: the flush concerns its code */
};

struct tlb_space {
    uint64_t key, used;    /* used: time of last use, 0 = free */
    struct tlb_entry *e;
    struct full *full;
    uint32_t bits, fills;  /* fills since the table was sized or flushed */
    uint32_t evicted;      /* valid entries that fills replaced */
    uint64_t sizes;        /* bit n: there are entries of pages of 2^n bytes, n > TLB_PAGE_BITS */
    uint64_t large[(1 << LARGE_BITS) / 64];     /* by hash: such pages that there may be entries of */
    uint64_t written[(1 << WRITTEN_BITS) / 64]; /* by hash: RAM pages that there may be tags for writing of */
    bool own_code;         /* code was fetched from a page that is neither global nor shared */
    bool shared_code;      /* code was fetched from a page that is shared: it is so until a flush is for this space and not for all */
    uint64_t tag;
    struct regime *regime;
    struct { struct tlb_entry e; struct full full; } victim[VICTIMS];
    unsigned next_victim;
};

struct soft_state {
    pthread_mutex_t lock;
    struct tlb_space space[SOFT_SPACES];
    struct regime regime[SOFT_SPACES];
    struct tlb_space *view[TLB_VIEWS];
    uint64_t time, seed;
    uint64_t exec[EXEC_FILTER / 64]; /* pages that the jump cache may have code of: a Bloom filter of two bits each */
    uint64_t exec_sizes;   /* bit n: some of them are parts of pages of 2^n bytes, which are there themselves too */
    unsigned nexec;
    struct full once;      /* a translation that is good for one access */
    uint64_t stat_fill, stat_walk, stat_flush, stat_mmio, stat_switch;
};

/* A number that no guest can guess: tags of different address spaces must not be made to meet. */
static uint64_t new_tag(struct soft_state *s)
{
    uint64_t z = s->seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t nslots(const struct tlb_space *a)
{
    return 1ull << a->bits;
}

static void entry_clear(struct tlb_entry *e, uint64_t slot)
{
    __atomic_store_n(&e->rd, tlb_no_tag(slot), __ATOMIC_RELAXED);
    __atomic_store_n(&e->wr, tlb_no_tag(slot), __ATOMIC_RELAXED);
    e->ram = ~0ull;
}

static void space_clear(struct tlb_space *a)
{
    for (uint64_t i = 0; i < nslots(a); i++) {
        entry_clear(&a->e[i], i);
        a->full[i].va = 0;
    }
    for (unsigned i = 0; i < VICTIMS; i++) a->victim[i].full.va = 0;
    a->sizes = 0;
    memset(a->large, 0, sizeof a->large);
    memset(a->written, 0, sizeof a->written);
    a->fills = a->evicted = 0;
}

static void space_table(struct tlb_space *a, uint32_t bits)
{
    free(a->e);
    free(a->full);
    a->bits = bits;
    a->e = xalloc(sizeof *a->e << bits);
    a->full = xalloc(sizeof *a->full << bits);
    space_clear(a);
}

int soft_init(struct vcpu *v)
{
    struct soft_state *s = xalloc(sizeof *s);
    if (getrandom(&s->seed, sizeof s->seed, 0) != sizeof s->seed) s->seed = (uintptr_t)s * 0x9e3779b97f4a7c15;
    pthread_mutex_init(&s->lock, NULL);
    v->soft = s;
    return 0;
}

void soft_done(struct vcpu *v)
{
    if (!v->soft) return;
    for (unsigned i = 0; i < SOFT_SPACES; i++) {
        free(v->soft->space[i].e);
        free(v->soft->space[i].full);
    }
    pthread_mutex_destroy(&v->soft->lock);
    free(v->soft);
    v->soft = NULL;
}

/* --- address spaces ------------------------------------------------------------------------------------------------- */

static struct regime *find_regime(struct vcpu *v, uint64_t key)
{
    struct soft_state *s = v->soft;
    struct regime *oldest = s->regime;
    for (struct regime *r = s->regime; r < s->regime + SOFT_SPACES; r++) {
        if (r->used && r->key == key) {
            r->used = ++s->time;
            return r;
        }
        if (r->used < oldest->used) oldest = r;
    }
    /* spaces that shared the old regime's code are not in use by a view, or theirs would not be the oldest; they get tags of their own */
    for (unsigned i = 0; i < SOFT_SPACES; i++)
        if (s->space[i].regime == oldest) s->space[i].own_code = true, s->space[i].tag = new_tag(s), s->space[i].regime = NULL;
    *oldest = (struct regime){ .key = key, .tag = new_tag(s), .used = ++s->time, .salt = new_tag(s) };
    return oldest;
}

static bool in_view(const struct soft_state *s, const struct tlb_space *a)
{
    for (unsigned i = 0; i < TLB_VIEWS; i++)
        if (s->view[i] == a) return true;
    return false;
}

static struct tlb_space *find_space(struct vcpu *v, uint64_t key)
{
    struct soft_state *s = v->soft;
    struct tlb_space *oldest = NULL;
    for (struct tlb_space *a = s->space; a < s->space + SOFT_SPACES; a++) {
        if (a->used && a->key == key) {
            a->used = ++s->time;
            return a;
        }
        if (!in_view(s, a) && (!oldest || a->used < oldest->used)) oldest = a;
    }
    struct tlb_space *a = oldest;
    if (!a->e)
        space_table(a, TLB_BITS_MIN);
    else
        space_clear(a);
    a->key = key;
    a->used = ++s->time;
    a->own_code = a->shared_code = false;
    a->regime = find_regime(v, key & ~(v->sys->asid_mask | v->sys->data_mask));
    a->tag = new_tag(s);
    return a;
}

static void view_refresh(struct vcpu *v, unsigned view)
{
    const struct tlb_space *a = v->soft->view[view];
    struct soft_cpu *sc = cpu_soft(v->cpu);
    sc->view[view].table = a->e;
    sc->view[view].mask = (nslots(a) - 1) << TLB_ENTRY_BITS;
    if (view == VIEW_MAIN) sc->tag = a->own_code || !a->regime ? a->tag : a->regime->tag;
}

static void view_set(struct vcpu *v, unsigned view)
{
    struct soft_state *s = v->soft;
    uint64_t key = v->sys->space_key(v->cpu, view);
    if (s->view[view] && s->view[view]->key == key) return;
    s->stat_switch++;
    pthread_mutex_lock(&s->lock);
    s->view[view] = NULL;
    s->view[view] = find_space(v, key);
    view_refresh(v, view);
    pthread_mutex_unlock(&s->lock);
}

void soft_switch(CPU *cpu)
{
    view_set(cpu->v, VIEW_MAIN);
    view_set(cpu->v, VIEW_USER);
}

/* --- flushes ---------------------------------------------------------------------------------------------------------- */

struct filter_bits {
    uint32_t a, b;
};
static struct filter_bits filter_bits(uint64_t va, unsigned bits, uint64_t salt)
{
    uint64_t h = ((va >> bits) + ((uint64_t)bits << 56) + salt) * 0x9e3779b97f4a7c15;
    return (struct filter_bits){ (uint32_t)(h >> (64 - EXEC_FILTER_BITS)), (uint32_t)(h >> (48 - EXEC_FILTER_BITS)) & (EXEC_FILTER - 1) };
}

static bool exec_filter_has(const struct soft_state *s, uint64_t va, unsigned bits, uint64_t salt)
{
    struct filter_bits f = filter_bits(va, bits, salt);
    return s->exec[f.a / 64] >> f.a % 64 & s->exec[f.b / 64] >> f.b % 64 & 1;
}

static void exec_filter_add(struct soft_state *s, uint64_t va, unsigned bits, uint64_t salt)
{
    struct filter_bits f = filter_bits(va, bits, salt);
    s->exec[f.a / 64] |= 1ull << f.a % 64;
    s->exec[f.b / 64] |= 1ull << f.b % 64;
    s->nexec++;
}

/* May there be code of a page that has va in it, whatever its size? */
static bool exec_filter_hit(const struct soft_state *s, uint64_t va, uint64_t salt)
{
    if (exec_filter_has(s, va, TLB_PAGE_BITS, salt)) return true;
    for (uint64_t sizes = s->exec_sizes; sizes; sizes &= sizes - 1)
        if (exec_filter_has(s, va, (unsigned)__builtin_ctzll(sizes), salt)) return true;
    return false;
}

static void exec_filter_clear(struct soft_state *s)
{
    memset(s->exec, 0, sizeof s->exec);
    s->exec_sizes = s->nexec = 0;
}

/* All that the jump cache has is forgotten. */
static void retag_all(struct vcpu *v)
{
    struct soft_state *s = v->soft;
    for (unsigned i = 0; i < SOFT_SPACES; i++) s->space[i].tag = new_tag(s), s->regime[i].tag = new_tag(s);
    exec_filter_clear(s);
}

void soft_note_exec(struct vcpu *v, uint64_t va)
{
    struct soft_state *s = v->soft;
    const struct tlb_space *a = s->view[VIEW_MAIN];
    const struct full *f = &a->full[va >> TLB_PAGE_BITS & (nslots(a) - 1)];
    unsigned bits = f->page_bits;
    if (f->va != (ALIGN_DOWN(va, (uint64_t)TLB_PAGE) | 1)) { /* another page has taken its place already */
        struct walk w;
        bits = soft_translate(v->cpu, VIEW_MAIN, va, EXF_EXEC, &w) ? w.page_bits : 63;
    }
    if (!a->regime) return; /* all flushes concern its code */
    bits = MIN(bits, 63u);
    bool large = bits > TLB_PAGE_BITS && !exec_filter_has(s, va, bits, a->regime->salt);
    if (exec_filter_has(s, va, TLB_PAGE_BITS, a->regime->salt) && !large) return;
    pthread_mutex_lock(&s->lock);
    if (s->nexec > EXEC_FILTER / 16) {
        retag_all(v);
        view_refresh(v, VIEW_MAIN);
    }
    exec_filter_add(s, va, TLB_PAGE_BITS, a->regime->salt);
    if (large) {
        exec_filter_add(s, va, bits, a->regime->salt);
        s->exec_sizes |= 1ull << bits;
    }
    pthread_mutex_unlock(&s->lock);
}

static void drop_slot(struct tlb_space *a, uint64_t i)
{
    a->full[i].va = 0;
    entry_clear(&a->e[i], i);
}

/* The page that a valid entry is part of, and does it touch [first, last]? */
static bool covers(const struct full *f, uint64_t first, uint64_t last)
{
    uint64_t size = 1ull << MAX(f->page_bits, TLB_PAGE_BITS) % 64, start = ALIGN_DOWN(f->va, size);
    return (f->va & 1) && (f->page_bits >= 64 || (start <= last && start + (size - 1) >= first));
}

static uint32_t hash_bits(uint64_t x, unsigned bits)
{
    return (uint32_t)(x * 0x9e3779b97f4a7c15 >> (64 - bits));
}
static void set_bit(uint64_t *set, uint32_t i)
{
    set[i / 64] |= 1ull << i % 64;
}
static bool has_bit(const uint64_t *set, uint32_t i)
{
    return set[i / 64] >> i % 64 & 1;
}

/* Bit of a page of 2^bits bytes in tlb_space.large. */
static uint32_t large_bit(uint64_t va, unsigned bits)
{
    return hash_bits((va >> bits) + ((uint64_t)bits << 56), LARGE_BITS);
}

static bool has_large(const struct tlb_space *a, uint64_t first, uint64_t last, unsigned bits)
{
    if (bits >= 64) return true;
    for (uint64_t n = (last >> bits) - (first >> bits) + 1, va = first; n--; va += 1ull << bits)
        if (has_bit(a->large, large_bit(va, bits))) return true;
    return false;
}

static void space_flush_pages(struct tlb_space *a, uint64_t first, uint64_t last)
{
    bool all = (last - first) >> TLB_PAGE_BITS >= nslots(a);
    for (uint64_t sizes = a->sizes | 1 << TLB_PAGE_BITS; sizes && !all; sizes &= sizes - 1) {
        unsigned bits = (unsigned)__builtin_ctzll(sizes);
        if (bits > TLB_PAGE_BITS && !has_large(a, first, last, bits)) continue;
        if (bits >= TLB_PAGE_BITS + a->bits) {
            all = true;
            break;
        }
        uint64_t size = 1ull << bits, from = ALIGN_DOWN(first, size), to = ALIGN_DOWN(last, size) + (size - 1);
        if ((to - from) >> TLB_PAGE_BITS >= nslots(a)) {
            all = true;
            break;
        }
        for (uint64_t n = ((to - from) >> TLB_PAGE_BITS) + 1, p = from; n--; p += TLB_PAGE) {
            uint64_t i = p >> TLB_PAGE_BITS & (nslots(a) - 1);
            if (covers(&a->full[i], first, last)) drop_slot(a, i);
        }
    }
    for (uint64_t i = 0; all && i < nslots(a); i++)
        if (covers(&a->full[i], first, last)) drop_slot(a, i);
    for (unsigned i = 0; i < VICTIMS; i++)
        if (covers(&a->victim[i].full, first, last)) a->victim[i].full.va = 0;
}

/* Does a flush of [first, last] concern code that was run in the regime? */
static bool flush_hits(const struct soft_state *s, const struct regime *r, uint64_t first, uint64_t last)
{
    if ((last - first) >> TLB_PAGE_BITS >= FLUSH_LOOK) return true;
    for (uint64_t va = first; va <= last && va >= first; va += TLB_PAGE)
        if (exec_filter_hit(s, va, r->salt)) return true;
    return false;
}

/* Is the code of a's regime in use by several ASIDs? */
static bool regime_is_shared(const struct soft_state *s, const struct tlb_space *a, uint64_t asid_mask)
{
    for (unsigned i = 0; i < SOFT_SPACES; i++)
        if (s->space[i].used && s->space[i].regime == a->regime && (s->space[i].key ^ a->key) & asid_mask) return true;
    return false;
}

/*
 * A space whose code is concerned. asid: the flush is for one ASID. Shared code then is its own from here on, if the flush was for a page
 * of it; all of an ASID is flushed when a process forks or ends, and says nothing of tables that other ASIDs use as well, as nobody
 * could change those by flushing one of them.
 */
static void space_retag(struct vcpu *v, struct tlb_space *a, bool asid, bool whole)
{
    struct soft_state *s = v->soft;
    a->tag = new_tag(s);
    if (a->shared_code && asid && !(whole && regime_is_shared(s, a, v->sys->asid_mask))) a->own_code = true;
    if (!asid) a->shared_code = false;
}

/* whole: first and last do not matter. */
static void flush_one(struct vcpu *v, uint64_t mask, uint64_t value, bool whole, uint64_t first, uint64_t last)
{
    struct soft_state *s = v->soft;
    const uint64_t out = v->sys->asid_mask | v->sys->data_mask; /* what regimes know nothing of */
    const bool asid = mask & v->sys->asid_mask;
    pthread_mutex_lock(&s->lock);
    __atomic_store_n(&s->stat_flush, s->stat_flush + 1, __ATOMIC_RELEASE);
    for (struct regime *r = s->regime; r < s->regime + SOFT_SPACES; r++) {
        r->hit = r->used && (r->key & mask & ~out) == (value & ~out) && (whole || flush_hits(s, r, first, last));
        if (r->hit && !asid) r->tag = new_tag(s);
    }
    for (struct tlb_space *a = s->space; a < s->space + SOFT_SPACES; a++) {
        if (!a->used || (a->key & mask) != value) continue;
        if (whole) {
            space_clear(a);
            a->own_code = !a->regime || (a->own_code && asid);
        } else {
            space_flush_pages(a, first, last);
        }
        if (!a->regime || a->regime->hit) space_retag(v, a, asid, whole);
    }
    if (s->view[VIEW_MAIN]) view_refresh(v, VIEW_MAIN);
    if (whole && !mask) exec_filter_clear(s);
    pthread_mutex_unlock(&s->lock);
}

static void flush(CPU *cpu, uint64_t mask, uint64_t value, bool whole, uint64_t first, uint64_t last, bool all_cpus)
{
    flush_one(cpu->v, mask, value, whole, first, last);
    if (!all_cpus) return;
    struct engine *en = cpu->v->engine;
    /* CPUs of a machine come and go only while none runs */
    for (struct vcpu *v = en->cpus; v; v = v->next)
        if (v != cpu->v) flush_one(v, mask, value, whole, first, last);
}

void soft_flush(CPU *cpu, uint64_t mask, uint64_t value, bool all_cpus)
{
    flush(cpu, mask, value, true, 0, ~0ull, all_cpus);
}

void soft_flush_pages(CPU *cpu, uint64_t mask, uint64_t value, uint64_t va, uint64_t last, bool all_cpus)
{
    flush(cpu, mask, value, false, ALIGN_DOWN(va, (uint64_t)TLB_PAGE), last | (TLB_PAGE - 1), all_cpus);
}

void engine_watch_changed(struct engine *en)
{
    soft_flush_machine(en);
}

void soft_flush_machine(struct engine *en)
{
    pthread_mutex_lock(&en->lock);
    for (struct vcpu *v = en->cpus; v; v = v->next) flush_one(v, 0, 0, true, 0, ~0ull);
    pthread_mutex_unlock(&en->lock);
}

/* --- fills -------------------------------------------------------------------------------------------------------------- */

/* Twice the table, when fills keep replacing each other. Only the owner is there. */
static void grow(struct vcpu *v, struct tlb_space *a)
{
    uint32_t old_bits = a->bits;
    struct full *full = a->full;
    struct tlb_entry *e = a->e;
    a->bits++;
    a->e = xalloc(sizeof *a->e << a->bits);
    a->full = xalloc(sizeof *a->full << a->bits);
    for (uint64_t i = 0; i < nslots(a); i++) entry_clear(&a->e[i], i);
    for (uint64_t i = 0; i < 1ull << old_bits; i++) {
        if (!(full[i].va & 1)) continue;
        uint64_t k = full[i].va >> TLB_PAGE_BITS & (nslots(a) - 1);
        a->full[k] = full[i];
        a->e[k].host = e[i].host;
        a->e[k].ram = e[i].ram;
        if (e[i].rd == (full[i].va & ~1ull)) a->e[k].rd = e[i].rd;
        if (e[i].wr == (full[i].va & ~1ull)) a->e[k].wr = e[i].wr;
    }
    free(full);
    free(e);
    a->fills = a->evicted = 0;
    for (unsigned i = 0; i < TLB_VIEWS; i++)
        if (v->soft->view[i] == a) view_refresh(v, i);
}

static uint8_t *page_flags(const struct ram *r, uint64_t off)
{
    return &r->page[off >> RAM_PAGE_BITS];
}

static uint32_t written_bit(uint64_t ram)
{
    return hash_bits(ram >> RAM_PAGE_BITS, WRITTEN_BITS);
}

/* Which of the tags the entry may have now; the page is told that it may be written without notice. */
static void entry_set(struct tlb_space *a, uint64_t slot, const struct full *f)
{
    struct tlb_entry *e = &a->e[slot];
    uint64_t va = f->va & ~1ull;
    entry_clear(e, slot);
    if (!f->ram) return;
    e->host = f->ram->host + f->ram_off;
    e->ram = f->ram->base + f->ram_off;
    if (f->rd_ok) __atomic_store_n(&e->rd, va, __ATOMIC_RELAXED);
    if (!f->wr_ok) return;
    uint8_t *flags = page_flags(f->ram, f->ram_off);
    uint8_t seen = __atomic_or_fetch(flags, RAM_WRITTEN_FAST, __ATOMIC_SEQ_CST);
    if (seen & RAM_CODE || (f->ram->track & ~seen)) return;
    __atomic_store_n(&e->wr, va, __ATOMIC_RELAXED);
    set_bit(a->written, written_bit(e->ram));
}

static void fill_from_walk(struct vcpu *v, struct full *f, uint64_t va, const struct walk *w)
{
    struct mem_range r;
    uint64_t phys = ALIGN_DOWN(w->phys, (uint64_t)TLB_PAGE);
    *f = (struct full){ .va = ALIGN_DOWN(va, (uint64_t)TLB_PAGE) | 1, .phys = phys, .attr = w->attr, .prot = w->prot,
                        .page_bits = w->page_bits, .global = w->global, .device = w->device };
    if (!space_find(v->space, phys, &r) || !r.ram || r.last - phys < TLB_PAGE - 1) return;
    f->ram = r.ram;
    f->ram_off = r.ram_off + (phys - r.start);
    f->rd_ok = w->prot & GP_READ;
    f->wr_ok = w->prot & GP_WRITE && !r.readonly && !r.ops && !r.ram->readonly;
    if (f->ram_off & (RAM_PAGE - 1)) f->ram = NULL, f->rd_ok = f->wr_ok = false; /* a window at an odd place: the long way */
}

static unsigned need_of(unsigned access)
{
    return access & EXF_EXEC ? GP_EXEC : access & EXF_WRITE ? GP_WRITE : GP_READ;
}

/* A debugger's watchpoint that an access touches. */
static const struct cpu_watch *watched(const struct vcpu *v, uint64_t va, uint64_t len, unsigned how)
{
    for (unsigned i = 0; i < v->nwatch; i++)
        if ((v->watch[i].how & how) && va < v->watch[i].addr + v->watch[i].len && v->watch[i].addr < va + len) return &v->watch[i];
    return NULL;
}

/* Leaves before an access that is watched. */
static bool watch_stops(struct vcpu *v, uint64_t va, uint64_t len, bool write)
{
    const struct cpu_watch *w = v->watch_pass ? NULL : watched(v, va, len, write ? CW_WRITE : CW_READ);
    if (!w) return false;
    v->watch_hit = w;
    v->exc = EXC_DEBUG;
    v->exc_code = EXD_WATCH;
    v->fault_addr = va;
    return true;
}

/* Puts a fill into its slot; what was there becomes a victim. */
static void insert(struct vcpu *v, struct tlb_space *a, const struct full *f)
{
    uint64_t page = f->va >> TLB_PAGE_BITS, i = page & (nslots(a) - 1);
    if ((a->full[i].va & 1) && a->full[i].va != f->va) {
        a->victim[a->next_victim].full = a->full[i];
        a->victim[a->next_victim].e = a->e[i];
        a->next_victim = (a->next_victim + 1) % VICTIMS;
        a->evicted++;
        if (a->evicted > nslots(a) / GROW_AFTER && a->bits < TLB_BITS_MAX) {
            grow(v, a);
            i = page & (nslots(a) - 1);
        }
    }
    a->fills++;
    if (a->fills > 16 * nslots(a)) a->fills = a->evicted = 0;
    if (f->page_bits > TLB_PAGE_BITS) {
        a->sizes |= 1ull << (f->page_bits & 63);
        if (f->page_bits < 64) set_bit(a->large, large_bit(f->va, f->page_bits));
    }
    a->full[i] = *f;
    entry_set(a, i, f);
    if (unlikely(v->nwatch) && watched(v, f->va & ~1ull, TLB_PAGE, CW_READ | CW_WRITE)) entry_clear(&a->e[i], i);
    v->soft->stat_fill++;
}

static bool from_victims(struct vcpu *v, struct tlb_space *a, uint64_t key, unsigned need)
{
    for (unsigned k = 0; k < VICTIMS; k++) {
        if (a->victim[k].full.va != key || !(a->victim[k].full.prot & need)) continue;
        struct full f = a->victim[k].full;
        a->victim[k].full.va = 0;
        insert(v, a, &f);
        return true;
    }
    return false;
}

/* The translation of va for an access, from the table, the victims, or a walk. NULL: it faults (noted unless probe). */
static const struct full *translate(struct vcpu *v, unsigned view, uint64_t va, unsigned access, bool probe)
{
    struct soft_state *s = v->soft;
    struct tlb_space *a = s->view[view];
    uint64_t key = ALIGN_DOWN(va, (uint64_t)TLB_PAGE) | 1;
    unsigned need = need_of(access);
    struct full *f = &a->full[va >> TLB_PAGE_BITS & (nslots(a) - 1)];
    if (f->va == key && f->prot & need) return f;
    pthread_mutex_lock(&s->lock);
    bool found = from_victims(v, a, key, need);
    pthread_mutex_unlock(&s->lock);
    if (found) return &a->full[va >> TLB_PAGE_BITS & (nslots(a) - 1)];
    struct walk w = { .page_bits = TLB_PAGE_BITS };
    s->stat_walk++;
    v->fault_addr = va;
    if (!v->sys->walk(v->cpu, va, access, view, probe, &w)) return NULL;
    struct full fresh;
    fill_from_walk(v, &fresh, va, &w);
    if (w.page_bits < TLB_PAGE_BITS || probe) {
        s->once = fresh;
        return &s->once;
    }
    pthread_mutex_lock(&s->lock);
    /* a walk for a write may have set the dirty flag: the other rights are still there */
    insert(v, a, &fresh);
    if (access & EXF_EXEC && w.shared) a->shared_code = true;
    if (access & EXF_EXEC && !w.global && !w.shared && !a->own_code) {
        a->own_code = true;
        a->tag = new_tag(s);
        if (view == VIEW_MAIN) view_refresh(v, view);
    }
    pthread_mutex_unlock(&s->lock);
    return &a->full[va >> TLB_PAGE_BITS & (nslots(a) - 1)];
}

/* --- accesses --------------------------------------------------------------------------------------------------------------- */

static enum cpu_exc bus_error(CPU *cpu, uint64_t va, uint64_t phys, unsigned access)
{
    cpu->v->exc_code = access | EXF_BUS;
    cpu->v->fault_addr = va;
    if (cpu->v->sys->bus_error) cpu->v->sys->bus_error(cpu, va, phys, access);
    return EXC_FAULT;
}

/* The CPU writes to a RAM page that generated code may not write: code, or tracking of dirty pages. */
static void note_write(struct vcpu *v, const struct full *f, uint64_t off, unsigned bytes)
{
    uint8_t *flags = page_flags(f->ram, f->ram_off), seen = __atomic_load_n(flags, __ATOMIC_RELAXED);
    if (seen & RAM_CODE) {
        uint64_t first = f->ram->base + f->ram_off + off;
        engine_invalidate(v->engine, first, first + bytes);
    }
    if (f->ram->track & ~seen) __atomic_or_fetch(flags, f->ram->track, __ATOMIC_RELAXED);
}

/* Several registers in one instruction (LD and ST with y): what a device sees are accesses of y bytes. */
static unsigned unit_of(const struct ir_ins *ins, unsigned bytes)
{
    return (ins->op == IR_LD || ins->op == IR_ST) && ins->y ? ins->y : bytes;
}

/* A part of an access, within one page, by translation f: RAM or device registers. */
static enum cpu_exc part_ld(CPU *cpu, const struct full *f, uint64_t va, unsigned bytes, unsigned unit, void *out)
{
    uint64_t off = va & (TLB_PAGE - 1), phys = f->phys + off, val;
    if (f->ram && f->rd_ok) {
        memcpy(out, f->ram->host + f->ram_off + off, bytes);
        return EXC_NONE;
    }
    cpu->v->soft->stat_mmio++;
    for (unsigned done = 0, n; done < bytes; done += n) {
        n = MIN(bytes - done, MIN(unit, 8u));
        while (n & (n - 1)) n &= n - 1;
        if (space_ld(cpu->v->space, phys + done, n, &val, f->attr) != MEM_OK) return bus_error(cpu, va, phys + done, EXF_READ);
        memcpy((char *)out + done, &val, n);
    }
    return EXC_NONE;
}

static enum cpu_exc part_st(CPU *cpu, const struct full *f, uint64_t va, unsigned bytes, unsigned unit, const void *in)
{
    uint64_t off = va & (TLB_PAGE - 1), phys = f->phys + off, val = 0;
    if (f->ram && f->wr_ok) {
        memcpy(f->ram->host + f->ram_off + off, in, bytes);
        note_write(cpu->v, f, off, bytes);
        return EXC_NONE;
    }
    cpu->v->soft->stat_mmio++;
    for (unsigned done = 0, n; done < bytes; done += n) {
        n = MIN(bytes - done, MIN(unit, 8u));
        while (n & (n - 1)) n &= n - 1;
        memcpy(&val, (const char *)in + done, n);
        if (space_st(cpu->v->space, phys + done, val, n, f->attr) != MEM_OK) return bus_error(cpu, va, phys + done, EXF_WRITE);
    }
    return EXC_NONE;
}

/* The translations of an access that may reach into a second page. False: it faults. */
static bool translate_both(struct vcpu *v, unsigned view, uint64_t va, unsigned bytes, unsigned access, struct full f[2], unsigned *first)
{
    const struct full *p = translate(v, view, va, access, false);
    if (!p) return false;
    f[0] = *p;
    *first = (unsigned)MIN((uint64_t)bytes, TLB_PAGE - (va & (TLB_PAGE - 1)));
    if (*first == bytes) return true;
    if (!(p = translate(v, view, va + *first, access, false))) return false;
    f[1] = *p;
    return true;
}

static uint64_t swap_low(uint64_t x, unsigned bytes)
{
    return bytes == 1 ? x : __builtin_bswap64(x) >> (64 - 8 * bytes);
}

/* Byte order and sign of what was loaded, and the reverse for stores. */
static void to_value(const struct ir_ins *ins, union vlanes *r)
{
    unsigned bytes = MO_BYTES(ins->mo);
    if (ins->mo & MO_BE) {
        if (bytes == 16)
            *r = (union vlanes){ .u64 = { __builtin_bswap64(r->u64[1]), __builtin_bswap64(r->u64[0]) } };
        else
            r->u64[0] = swap_low(r->u64[0], bytes);
    }
    if (ins->mo & MO_SIGN && bytes < 8) r->u64[0] = (uint64_t)bits_sext(r->u64[0], 8 * bytes) & bits_mask(ir_type_bits[ins->type]);
}

static enum cpu_exc split_ld(CPU *cpu, const struct ir_ins *ins, uint64_t va, unsigned bytes, const struct full f[2], unsigned first,
                             union vlanes *r)
{
    *r = (union vlanes){ 0 };
    enum cpu_exc exc = part_ld(cpu, &f[0], va, first, unit_of(ins, bytes), r->u8);
    if (!exc && first < bytes) exc = part_ld(cpu, &f[1], va + first, bytes - first, unit_of(ins, bytes), r->u8 + first);
    if (!exc) to_value(ins, r);
    return exc;
}

static enum cpu_exc split_st(CPU *cpu, const struct ir_ins *ins, uint64_t va, unsigned bytes, const struct full f[2], unsigned first,
                             const union vlanes *b)
{
    union vlanes x = *b;
    struct ir_ins swap = { .mo = ins->mo & (MO_SIZE | MO_BE) };
    if (bytes < 16) x.u64[0] &= bits_mask(8 * bytes);
    to_value(&swap, &x);
    enum cpu_exc exc = part_st(cpu, &f[0], va, first, unit_of(ins, bytes), x.u8);
    if (!exc && first < bytes) exc = part_st(cpu, &f[1], va + first, bytes - first, unit_of(ins, bytes), x.u8 + first);
    if (ins->mo & MO_REL) __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return exc;
}

static enum cpu_exc align_fault(CPU *cpu, uint64_t va, bool write)
{
    cpu->v->exc_code = write ? EXF_WRITE : EXF_READ;
    cpu->v->fault_addr = va;
    return EXC_ALIGN;
}

/* The page may have become one that can be written without notice. */
static void allow_writes(struct vcpu *v, unsigned view, uint64_t va)
{
    struct tlb_space *a = v->soft->view[view];
    uint64_t slot = va >> TLB_PAGE_BITS & (nslots(a) - 1);
    const struct full *f = &a->full[slot];
    if (f->va != (ALIGN_DOWN(va, (uint64_t)TLB_PAGE) | 1) || !f->wr_ok || !f->ram) return;
    uint8_t seen = __atomic_load_n(page_flags(f->ram, f->ram_off), __ATOMIC_RELAXED);
    if (v->nwatch || a->e[slot].wr == (f->va & ~1ull) || seen & RAM_CODE || f->ram->track & ~seen) return;
    pthread_mutex_lock(&v->soft->lock);
    entry_set(a, slot, f);
    pthread_mutex_unlock(&v->soft->lock);
}

/* Everything that is not a hit: atomic operations need RAM in one page. */
static enum cpu_exc slow_access(CPU *cpu, const struct ir_ins *ins, unsigned view, uint64_t va, unsigned bytes, bool write,
                                const union vlanes *b, const union vlanes *c, union vlanes *r)
{
    struct vcpu *v = cpu->v;
    struct full f[2];
    unsigned first, access = write ? EXF_WRITE : EXF_READ;
    if (!translate_both(v, view, va, bytes, access, f, &first)) return v->exc;
    /* RAM that the tables call device memory is in the TLB as any other: it is the registers that have to be aligned */
    if (f[0].device && !f[0].ram && va & (unit_of(ins, bytes) - 1) && ins->op != IR_PROBE) return align_fault(cpu, va, write);
    if (ins->op == IR_PROBE) return EXC_NONE;
    if (write && f[0].wr_ok) allow_writes(v, view, va);
    void *p = soft_hit(cpu, view, va, bytes, write);
    if (p) { /* filled just now */
        memop(ins, p, b, c, r);
        return EXC_NONE;
    }
    if (ins->op == IR_LD) return split_ld(cpu, ins, va, bytes, f, first, r);
    if (ins->op == IR_ST) {
        if (first == bytes && f[0].ram && f[0].wr_ok && !(va & (bytes - 1))) { /* a page that is watched: still one access */
            memop(ins, f[0].ram->host + f[0].ram_off + (va & (TLB_PAGE - 1)), b, c, r);
            note_write(v, &f[0], va & (TLB_PAGE - 1), bytes);
            return EXC_NONE;
        }
        return split_st(cpu, ins, va, bytes, f, first, b);
    }
    if (first != bytes) return align_fault(cpu, va, true);
    if (!f[0].ram || !f[0].wr_ok || !f[0].rd_ok) return bus_error(cpu, va, f[0].phys + (va & (TLB_PAGE - 1)), EXF_WRITE);
    memop(ins, f[0].ram->host + f[0].ram_off + (va & (TLB_PAGE - 1)), b, c, r);
    note_write(v, &f[0], va & (TLB_PAGE - 1), bytes);
    return EXC_NONE;
}

enum cpu_exc soft_access(CPU *cpu, const struct ir_ins *ins, uint64_t base, const union vlanes *b, const union vlanes *c, union vlanes *r)
{
    const uint64_t va = base + ins->imm;
    const bool probe = ins->op == IR_PROBE, write = probe ? ins->mo & MO_STORE : ins->op != IR_LD;
    const unsigned view = ins->x, bytes = probe ? MIN(MAX(ins->y, 1u), TLB_PAGE) : MO_BYTES(ins->mo);
    if (!probe && ins->mo & MO_ALIGN && va & (bytes - 1)) return align_fault(cpu, va, write);
    if (unlikely(cpu->v->nwatch) && !probe && watch_stops(cpu->v, va, bytes, write)) return EXC_DEBUG;
    void *p = probe ? NULL : soft_hit(cpu, view, va, bytes, write);
    if (likely(p != NULL) && (ins->op != IR_CAS || bytes < 16 || !(va & 15))) {
        memop(ins, p, b, c, r);
        return EXC_NONE;
    }
    if (ins->op == IR_CAS && bytes == 16 && va & 15) return align_fault(cpu, va, true);
    return slow_access(cpu, ins, view, va, bytes, write, b, c, r);
}

static void view_for_c(CPU *cpu, unsigned view)
{
    if (view > VIEW_USER) view_set(cpu->v, view);
}

uint64_t soft_ld(CPU *cpu, unsigned view, uint64_t va, unsigned mo)
{
    struct ir_ins ins = { .op = IR_LD, .type = T_I64, .x = view, .mo = (uint8_t)mo };
    union vlanes r = { 0 };
    view_for_c(cpu, view);
    enum cpu_exc exc = soft_access(cpu, &ins, va, NULL, NULL, &r);
    if (exc) cpu_raise(cpu, exc, cpu->v->exc_code, cpu->v->fault_addr);
    return r.u64[0];
}

void soft_st(CPU *cpu, unsigned view, uint64_t va, uint64_t val, unsigned mo)
{
    struct ir_ins ins = { .op = IR_ST, .x = view, .mo = (uint8_t)mo };
    union vlanes b = { .u64 = { val, 0 } };
    view_for_c(cpu, view);
    enum cpu_exc exc = soft_access(cpu, &ins, va, &b, NULL, NULL);
    if (exc) cpu_raise(cpu, exc, cpu->v->exc_code, cpu->v->fault_addr);
}

void soft_copy(CPU *cpu, unsigned view, uint64_t va, void *buf, size_t len, bool write)
{
    struct vcpu *v = cpu->v;
    view_for_c(cpu, view);
    if (unlikely(v->nwatch) && watch_stops(v, va, len, write)) cpu_raise(cpu, EXC_DEBUG, EXD_WATCH, v->fault_addr);
    for (size_t done = 0; done < len;) {
        uint64_t at = va + done;
        unsigned n = (unsigned)MIN(len - done, TLB_PAGE - (at & (TLB_PAGE - 1)));
        void *p = soft_hit(cpu, view, at, n, write);
        if (p) {
            if (write) memcpy(p, (char *)buf + done, n); else memcpy((char *)buf + done, p, n);
        } else {
            const struct full *f = translate(v, view, at, write ? EXF_WRITE : EXF_READ, false);
            struct full copy = f ? *f : (struct full){ 0 };
            enum cpu_exc exc = !f ? v->exc : write ? part_st(cpu, &copy, at, n, 8, (char *)buf + done) : part_ld(cpu, &copy, at, n, 8, (char *)buf + done);
            if (exc) cpu_raise(cpu, exc, v->exc_code, v->fault_addr);
        }
        done += n;
    }
}

/* --- code ------------------------------------------------------------------------------------------------------------------- */

bool soft_code_page(struct vcpu *v, uint64_t va, bool probe, struct code_page *p)
{
    const struct full *f = translate(v, VIEW_MAIN, va, EXF_EXEC, probe);
    if (!f) return false;
    if (!f->ram) {
        if (!probe) v->exc = bus_error(v->cpu, va, f->phys + (va & (TLB_PAGE - 1)), EXF_EXEC);
        return false;
    }
    *p = (struct code_page){ f->ram, f->ram_off, f->prot };
    return true;
}

static void strip_writes(struct tlb_space *a, uint64_t ram)
{
    if (!has_bit(a->written, written_bit(ram))) return;
    for (uint64_t i = 0; i < nslots(a); i++)
        if (a->e[i].ram == ram) __atomic_store_n(&a->e[i].wr, tlb_no_tag(i), __ATOMIC_SEQ_CST);
}

void soft_mark_code(struct engine *en, const struct code_page *p)
{
    uint8_t *flags = page_flags(p->ram, p->off);
    if (__atomic_load_n(flags, __ATOMIC_RELAXED) & RAM_CODE) return;
    if (!(__atomic_fetch_or(flags, RAM_CODE, __ATOMIC_SEQ_CST) & RAM_WRITTEN_FAST)) return;
    for (struct vcpu *v = en->cpus; v; v = v->next) {
        pthread_mutex_lock(&v->soft->lock);
        for (unsigned i = 0; i < SOFT_SPACES; i++)
            if (v->soft->space[i].used) strip_writes(&v->soft->space[i], code_page_key(p));
        pthread_mutex_unlock(&v->soft->lock);
    }
    __atomic_fetch_and(flags, (uint8_t)~RAM_WRITTEN_FAST, __ATOMIC_SEQ_CST);
    if (!en->cpus->next) return;
    /* another CPU may be between its look at the tag and its store: who tells us of that store will maintain the instruction cache */
    uint64_t epoch = __atomic_add_fetch(&en->epoch, 1, __ATOMIC_SEQ_CST);
    if (en->nsuspects < ARRAY_LEN(en->suspect)) en->suspect[en->nsuspects] = (struct suspect){ code_page_key(p), epoch };
    __atomic_store_n(&en->nsuspects, MIN(en->nsuspects + 1, ARRAY_LEN(en->suspect) + 1), __ATOMIC_RELEASE);
}

void soft_suspects(struct engine *en)
{
    if (!__atomic_load_n(&en->nsuspects, __ATOMIC_ACQUIRE)) return;
    pthread_mutex_lock(&en->lock);
    uint32_t n = en->nsuspects, left = 0;
    if (n > ARRAY_LEN(en->suspect)) {
        cache_flush(en);
        n = 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct suspect *s = &en->suspect[i];
        bool over = cache_quiescent_since(en, NULL, s->epoch);
        cache_kill_page(en, s->page);
        if (!over) en->suspect[left++] = *s;
    }
    __atomic_store_n(&en->nsuspects, left, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&en->lock);
}

void soft_unmark_code(struct ram *ram, uint64_t key)
{
    __atomic_fetch_and(page_flags(ram, key - ram->base), (uint8_t)~RAM_CODE, __ATOMIC_SEQ_CST);
}

uint64_t soft_flushes(const struct vcpu *v)
{
    return __atomic_load_n(&v->soft->stat_flush, __ATOMIC_ACQUIRE);
}

/* --- leaving ---------------------------------------------------------------------------------------------------------------- */

void sys_kick(CPU *cpu)
{
    __atomic_or_fetch(&cpu->exit_request, REQ_IRQ, __ATOMIC_SEQ_CST);
    if (cpu->v->host && cpu->v->host->wake) cpu->v->host->wake(cpu->v->host_ctx, cpu);
}

bool soft_exception(struct vcpu *v)
{
    if (v->exc == EXC_DEBUG || v->exc <= EXC_REQUEST) return false;
    if (v->exc == EXC_GUEST) {
        if (v->exc_code == GX_YIELD) {
            soft_sync(v);
            return true;
        }
        if (v->exc_code == GX_HALT) {
            if (!v->sys->has_work(v->cpu)) return false;
            v->sys->interrupt(v->cpu);
            return true;
        }
        if (v->exc_code == GX_SEMIHOST) return false;
    }
    switch (v->sys->exception(v->cpu, v->exc)) {
    case SYS_GO: return true;
    case SYS_HALT:
        v->exc = EXC_GUEST;
        v->exc_code = GX_HALT;
        return false;
    default: return false;
    }
}

void soft_add_stats(const struct vcpu *v, struct engine_stats *st)
{
    const struct soft_state *s = v->soft;
    st->tlb_fills += s->stat_fill;
    st->tlb_walks += s->stat_walk;
    st->tlb_flushes += s->stat_flush;
    st->mmio += s->stat_mmio;
    st->switches += s->stat_switch;
}
