/*
 * phys.c: address spaces: windows with priorities, the flat view made of them, accesses.
 *
 * Look-ups take no lock. A space has one view that is read and a spare one; a change fills the spare and swaps them, and counts. A reader
 * that was overtaken by two changes may have read what was being filled: it sees the count and reads again. So all reads of a view are
 * atomic words, and a view's memory is never given back while the space lives (a larger one makes it garbage of bounded size).
 * Known gaps: none.
 */
#include <stdlib.h>
#include "mem/space.h"

enum win_kind { WIN_RAM, WIN_MMIO, WIN_ROMD };

struct window {
    struct space *space;
    struct window *next;  /* in the order of making */
    char *name;
    uint64_t addr, len;
    uint64_t order;
    int prio;
    uint8_t kind;
    bool enabled, direct, readonly;
    struct ram *ram;
    uint64_t ram_off;
    const struct mmio_ops *ops;
    void *dev;
};

/* A piece of the view: [start, last] shows a window. All words, for readers read them one by one. */
struct piece {
    uint64_t start, last, off; /* off: of start in the window */
    uint64_t ram, ram_off, ops, dev, name, readonly;
};

struct view {
    uint64_t count, cap;
    struct view *older;
    struct piece p[];
};

struct space {
    struct mem *mem;
    struct space *next;
    char *name;
    struct window *wins;
    uint64_t order;
    unsigned depth;       /* of space_begin */
    bool changed;
    uint64_t seq;         /* changes of `view` */
    struct view *view, *spare, *garbage;
};

/* --- the memory system ------------------------------------------------------------------------------------------------------- */

struct mem *mem_new(void)
{
    struct mem *m = xalloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void mem_free(struct mem *m)
{
    if (!m) return;
    while (m->spaces) space_free(m->spaces);
    while (m->rams) {
        m->rams->pins = 0;
        ram_free(m->rams);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

void mem_set_lock(struct mem *m, void (*lock)(void *ctx), void (*unlock)(void *ctx), bool (*mine)(void *ctx), void *ctx)
{
    m->big_lock = lock;
    m->big_unlock = unlock;
    m->big_mine = mine;
    m->big_ctx = ctx;
}

void mem_listen(struct mem *m, struct mem_listener *l)
{
    l->next = m->listeners;
    m->listeners = l;
}

void mem_unlisten(struct mem *m, struct mem_listener *l)
{
    for (struct mem_listener **p = &m->listeners; *p; p = &(*p)->next)
        if (*p == l) {
            *p = l->next;
            return;
        }
}

uint64_t mem_generation(const struct mem *m)
{
    return __atomic_load_n(&m->generation, __ATOMIC_ACQUIRE);
}

/* --- making views -------------------------------------------------------------------------------------------------------------- */

static uint64_t win_last(const struct window *w)
{
    return w->len - 1 > UINT64_MAX - w->addr ? UINT64_MAX : w->addr + w->len - 1;
}

static struct view *view_new(uint64_t cap)
{
    struct view *v = xalloc(sizeof *v + cap * sizeof v->p[0]);
    v->cap = cap;
    return v;
}

static void put(uint64_t *word, uint64_t val)
{
    __atomic_store_n(word, val, __ATOMIC_RELAXED);
}

static void put_piece(struct piece *p, const struct window *w, uint64_t start, uint64_t last)
{
    bool ram = w->kind == WIN_RAM || (w->kind == WIN_ROMD && w->direct);
    uint64_t off = start - w->addr;
    put(&p->start, start);
    put(&p->last, last);
    put(&p->off, off);
    put(&p->ram, ram ? (uintptr_t)w->ram : 0);
    put(&p->ram_off, ram ? w->ram_off + off : 0);
    put(&p->ops, (uintptr_t)w->ops);
    put(&p->dev, (uintptr_t)w->dev);
    put(&p->name, (uintptr_t)w->name);
    put(&p->readonly, ram && (w->readonly || w->ram->readonly));
}

static int by_rank(const void *a, const void *b)
{
    const struct window *x = *(struct window *const *)a, *y = *(struct window *const *)b;
    if (x->prio != y->prio) return x->prio > y->prio ? -1 : 1;
    return x->order > y->order ? -1 : x->order < y->order;
}

struct build {
    const struct window *w;
    uint64_t start, last;
};

/* Puts window w, which is beneath all that are there, into the gaps of the n pieces in b; they are in order of address. */
static uint32_t fill_gaps(struct build *b, uint32_t n, struct build *tmp, const struct window *w)
{
    uint64_t at = w->addr, last = win_last(w);
    uint32_t out = 0;
    bool more = true; /* [at, last] is still to be placed */
    for (uint32_t i = 0; i < n; i++) {
        if (more && b[i].start > at) {
            tmp[out++] = (struct build){ w, at, MIN(last, b[i].start - 1) };
            if (last < b[i].start) more = false;
        }
        if (more && b[i].last >= at) {
            if (b[i].last >= last) more = false;
            else at = b[i].last + 1;
        }
        tmp[out++] = b[i];
    }
    if (more) tmp[out++] = (struct build){ w, at, last };
    return out;
}

/* All views have room for what the windows can make at most: each adds one piece and splits one. */
static void make_room(struct space *s, uint64_t pieces)
{
    if (s->spare && s->spare->cap >= pieces) return;
    uint64_t cap = 16;
    while (cap < pieces) cap *= 2;
    if (s->spare) {
        s->spare->older = s->garbage;
        s->garbage = s->spare;
    }
    s->spare = view_new(cap);
}

static void rebuild(struct space *s)
{
    uint32_t n = 0, count = 0;
    for (struct window *w = s->wins; w; w = w->next) n += w->enabled && w->len;
    struct window **list = xalloc((n + 1) * sizeof *list);
    struct build *a = xalloc((2 * n + 2) * sizeof *a), *b = xalloc((2 * n + 2) * sizeof *b), *t;
    n = 0;
    for (struct window *w = s->wins; w; w = w->next)
        if (w->enabled && w->len) list[n++] = w;
    qsort(list, n, sizeof *list, by_rank);
    for (uint32_t i = 0; i < n; i++) {
        count = fill_gaps(a, count, b, list[i]);
        t = a, a = b, b = t;
    }
    make_room(s, count);
    struct view *v = s->spare;
    __atomic_thread_fence(__ATOMIC_RELEASE); /* the count of the change before is seen by who sees what follows */
    for (uint32_t i = 0; i < count; i++) put_piece(&v->p[i], a[i].w, a[i].start, a[i].last);
    put(&v->count, count);
    s->spare = s->view;
    __atomic_store_n(&s->view, v, __ATOMIC_RELEASE);
    __atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_RELEASE);
    free(list);
    free(a);
    free(b);
    __atomic_add_fetch(&s->mem->generation, 1, __ATOMIC_RELEASE);
    for (struct mem_listener *l = s->mem->listeners; l; l = l->next)
        if (l->map_changed) l->map_changed(l->ctx, s);
}

void space_begin(struct space *s)
{
    s->depth++;
}

void space_commit(struct space *s)
{
    if (s->depth && --s->depth) return;
    if (s->changed) {
        s->changed = false;
        rebuild(s);
    }
}

static void changed(struct space *s)
{
    s->changed = true;
    if (!s->depth) space_commit(s);
}

/* --- spaces and windows --------------------------------------------------------------------------------------------------------- */

struct space *space_new(struct mem *m, const char *name)
{
    struct space *s = xalloc(sizeof *s);
    s->mem = m;
    s->name = strdup(name);
    s->view = view_new(16);
    s->spare = view_new(16);
    s->next = m->spaces;
    m->spaces = s;
    return s;
}

void space_free(struct space *s)
{
    if (!s) return;
    for (struct space **p = &s->mem->spaces; *p; p = &(*p)->next)
        if (*p == s) {
            *p = s->next;
            break;
        }
    for (struct window *w = s->wins, *next; w; w = next) {
        next = w->next;
        free(w->name);
        free(w);
    }
    for (struct view *v = s->garbage, *next; v; v = next) {
        next = v->older;
        free(v);
    }
    free(s->view);
    free(s->spare);
    free(s->name);
    free(s);
}

const char *space_name(const struct space *s)
{
    return s->name;
}

struct mem *space_mem(const struct space *s)
{
    return s->mem;
}

struct space *space_next(const struct mem *m, const struct space *after)
{
    return after ? after->next : m->spaces;
}

static struct window *add(struct space *s, const char *name, const struct window *from)
{
    struct window *w = xalloc(sizeof *w), **p = &s->wins;
    *w = *from;
    w->name = strdup(name);
    w->space = s;
    w->order = ++s->order;
    w->enabled = w->direct = true;
    while (*p) p = &(*p)->next;
    *p = w;
    changed(s);
    return w;
}

/* What of [off, off + len) lies in the block. */
static uint64_t ram_part(const struct ram *r, uint64_t off, uint64_t len)
{
    return off >= r->size ? 0 : MIN(len, r->size - off);
}

struct window *space_map_ram(struct space *s, uint64_t addr, struct ram *r, uint64_t off, uint64_t len, int prio)
{
    return add(s, r->id, &(struct window){ .kind = WIN_RAM, .addr = addr, .len = ram_part(r, off, len), .ram = r, .ram_off = off, .prio = prio });
}

/* Widened accesses lie within a window whose length is a multiple of the smallest access. */
static uint64_t mmio_len(uint64_t len, const struct mmio_ops *ops)
{
    return ops->min > 1 && len != UINT64_MAX ? len - len % ops->min : len;
}

struct window *space_map_mmio(struct space *s, const char *name, uint64_t addr, uint64_t len, const struct mmio_ops *ops, void *dev, int prio)
{
    return add(s, name, &(struct window){ .kind = WIN_MMIO, .addr = addr, .len = mmio_len(len, ops), .ops = ops, .dev = dev, .prio = prio });
}

struct window *space_map_romd(struct space *s, const char *name, uint64_t addr, struct ram *r, uint64_t off, uint64_t len,
                              const struct mmio_ops *ops, void *dev, int prio)
{
    return add(s, name, &(struct window){ .kind = WIN_ROMD, .addr = addr, .len = mmio_len(ram_part(r, off, len), ops), .ram = r,
                                          .ram_off = off, .ops = ops, .dev = dev, .prio = prio });
}

void window_direct(struct window *w, bool on)
{
    if (w->direct == on) return;
    w->direct = on;
    if (w->enabled) changed(w->space);
}

void window_readonly(struct window *w, bool on)
{
    if (w->readonly == on) return;
    w->readonly = on;
    if (w->enabled) changed(w->space);
}

void window_move(struct window *w, uint64_t addr)
{
    if (w->addr == addr) return;
    w->addr = addr;
    if (w->enabled) changed(w->space);
}

void window_enable(struct window *w, bool on)
{
    if (w->enabled == on) return;
    w->enabled = on;
    changed(w->space);
}

uint64_t window_addr(const struct window *w)
{
    return w->addr;
}

void window_free(struct window *w)
{
    if (!w) return;
    struct space *s = w->space;
    for (struct window **p = &s->wins; *p; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            break;
        }
    /* Its name is in the view until that is made anew: not later than here, whatever space_begin says. */
    s->changed = false;
    rebuild(s);
    free(w->name);
    free(w);
}

/* --- looking up -------------------------------------------------------------------------------------------------------------------- */

static uint64_t get(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Reads what is at addr; may have read a view that was changing. */
static bool find_once(const struct view *v, uint64_t addr, struct mem_range *r)
{
    uint64_t n = MIN(get(&v->count), v->cap), lo = 0, hi = n; /* the first piece that begins after addr */
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (get(&v->p[mid].start) > addr) hi = mid;
        else lo = mid + 1;
    }
    const struct piece *p = lo ? &v->p[lo - 1] : NULL;
    if (p && get(&p->last) >= addr) {
        r->start = get(&p->start);
        r->last = get(&p->last);
        r->ram = (struct ram *)(uintptr_t)get(&p->ram);
        r->ram_off = get(&p->ram_off);
        r->ops = (const struct mmio_ops *)(uintptr_t)get(&p->ops);
        r->dev = (void *)(uintptr_t)get(&p->dev);
        r->dev_off = r->ops ? get(&p->off) : 0;
        r->name = (const char *)(uintptr_t)get(&p->name);
        r->readonly = get(&p->readonly);
        return true;
    }
    *r = (struct mem_range){ .start = p ? get(&p->last) + 1 : 0, .last = lo < n ? get(&v->p[lo].start) - 1 : UINT64_MAX };
    return false;
}

bool space_find(struct space *s, uint64_t addr, struct mem_range *r)
{
    for (;;) {
        uint64_t gen = mem_generation(s->mem), seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);
        const struct view *v = __atomic_load_n(&s->view, __ATOMIC_ACQUIRE);
        bool found = find_once(v, addr, r);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (likely(__atomic_load_n(&s->seq, __ATOMIC_RELAXED) == seq)) {
            r->space = s;
            r->generation = gen;
            return found;
        }
    }
}

void space_walk(struct space *s, void (*fn)(void *ctx, const struct mem_range *r), void *ctx)
{
    struct mem_range r;
    for (uint64_t at = 0;; at = r.last + 1) {
        if (space_find(s, at, &r)) fn(ctx, &r);
        if (r.last == UINT64_MAX) return;
    }
}

/* --- accesses to registers ----------------------------------------------------------------------------------------------------------- */

struct mmio {
    const struct mmio_ops *ops;
    void *dev;
    struct mem_attr at;
    unsigned min, max;
};

static uint64_t swap(uint64_t v, unsigned size)
{
    switch (size) {
    case 2: return __builtin_bswap16((uint16_t)v);
    case 4: return __builtin_bswap32((uint32_t)v);
    case 8: return __builtin_bswap64(v);
    default: return v;
    }
}

/* One call of a handler: the bytes at off as they are in memory. */
static enum mem_result unit_ld(const struct mmio *x, uint64_t off, unsigned size, uint8_t *buf)
{
    uint64_t v = 0;
    enum mem_result res = MEM_OK;
    if (x->ops->read_try) res = x->ops->read_try(x->dev, off, size, &v, x->at);
    else if (x->ops->read) v = x->ops->read(x->dev, off, size, x->at);
    if (x->ops->big_endian) v = swap(v, size);
    memcpy(buf, &v, size);
    return res;
}

static enum mem_result unit_st(const struct mmio *x, uint64_t off, unsigned size, const uint8_t *buf)
{
    uint64_t v = 0;
    memcpy(&v, buf, size);
    if (x->ops->big_endian) v = swap(v, size);
    if (x->ops->write_try) return x->ops->write_try(x->dev, off, v, size, x->at);
    if (x->ops->write) x->ops->write(x->dev, off, v, size, x->at);
    return MEM_OK;
}

/* In which units an access goes to the handlers: at most 8 of them. */
static unsigned unit_size(const struct mmio *x, uint64_t off, unsigned size)
{
    bool straight = x->ops->unaligned || !(off & (size - 1));
    if (straight && size > x->max) return x->max;
    if (straight && size >= x->min) return size;
    return x->min;
}

static enum mem_result access_ld(const struct mmio *x, uint64_t off, unsigned size, uint8_t *buf)
{
    unsigned unit = unit_size(x, off, size);
    bool whole = unit >= x->min && unit <= size && (x->ops->unaligned || !(off & (unit - 1)));
    uint64_t end = off + size;
    for (uint64_t at = whole ? off : off & ~(uint64_t)(unit - 1); at < end; at += unit) {
        uint8_t b[8];
        enum mem_result res = unit_ld(x, at, unit, b);
        if (res != MEM_OK) return res;
        for (unsigned i = 0; i < unit; i++)
            if (at + i >= off && at + i < end) buf[at + i - off] = b[i];
    }
    return MEM_OK;
}

static enum mem_result access_st(const struct mmio *x, uint64_t off, unsigned size, const uint8_t *buf)
{
    unsigned unit = unit_size(x, off, size);
    bool whole = unit >= x->min && unit <= size && (x->ops->unaligned || !(off & (unit - 1)));
    uint64_t end = off + size;
    for (uint64_t at = whole ? off : off & ~(uint64_t)(unit - 1); at < end; at += unit) {
        uint8_t b[8] = { 0 };
        for (unsigned i = 0; i < unit; i++)
            if (at + i >= off && at + i < end) b[i] = buf[at + i - off];
        enum mem_result res = unit_st(x, at, unit, b);
        if (res != MEM_OK) return res;
    }
    return MEM_OK;
}

/* With the lock held, if the device needs it, and the range up to date: false if another one is there now. */
static bool enter(struct mem *m, const struct mem_range *r, bool *locked)
{
    *locked = m->big_lock && !r->ops->unlocked && !m->big_mine(m->big_ctx);
    if (*locked) m->big_lock(m->big_ctx);
    return r->generation == mem_generation(m) || !r->space;
}

static void leave(struct mem *m, bool locked)
{
    if (locked) m->big_unlock(m->big_ctx);
}

static struct mmio mmio_of(const struct mem_range *r, struct mem_attr at)
{
    return (struct mmio){ r->ops, r->dev, at, r->ops->min ? r->ops->min : 1, r->ops->max ? r->ops->max : 8 };
}

/* The same device at the same place, after the map has changed somewhere? Lock held. */
static bool still(const struct mem_range *r, uint64_t off)
{
    struct mem_range now;
    return space_find(r->space, r->start + off, &now) && now.ops == r->ops && now.dev == r->dev && !now.ram == !r->ram &&
           now.dev_off + (r->start + off - now.start) == r->dev_off + off;
}

enum mem_result mmio_ld(struct mem *m, const struct mem_range *r, uint64_t off, unsigned size, uint64_t *val, struct mem_attr at)
{
    bool locked;
    *val = 0;
    if (!r->ops) return MEM_NONE;
    if (unlikely(!enter(m, r, &locked) && !still(r, off))) {
        leave(m, locked);
        return space_ld(r->space, r->start + off, size, val, at);
    }
    struct mmio x = mmio_of(r, at);
    enum mem_result res = access_ld(&x, r->dev_off + off, size, (uint8_t *)val);
    leave(m, locked);
    return res;
}

enum mem_result mmio_st(struct mem *m, const struct mem_range *r, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    bool locked;
    if (!r->ops) return MEM_NONE;
    if (unlikely(!enter(m, r, &locked) && !still(r, off))) {
        leave(m, locked);
        return space_st(r->space, r->start + off, val, size, at);
    }
    struct mmio x = mmio_of(r, at);
    enum mem_result res = access_st(&x, r->dev_off + off, size, (const uint8_t *)&val);
    leave(m, locked);
    return res;
}

/* --- accesses of CPUs and debuggers ------------------------------------------------------------------------------------------------------ */

enum mem_result space_ld(struct space *s, uint64_t addr, unsigned size, uint64_t *val, struct mem_attr at)
{
    struct mem_range r;
    *val = 0;
    if (!space_find(s, addr, &r)) return MEM_NONE;
    if (size - 1 > r.last - addr) { /* over the end: byte by byte */
        for (unsigned i = 0; i < size; i++) {
            uint64_t b;
            enum mem_result res = space_ld(s, addr + i, 1, &b, at);
            if (res != MEM_OK) return res;
            *val |= b << (8 * i);
        }
        return MEM_OK;
    }
    if (!r.ram) return mmio_ld(s->mem, &r, addr - r.start, size, val, at);
    *val = ram_ld(r.ram, r.ram_off + (addr - r.start), size);
    return MEM_OK;
}

enum mem_result space_st(struct space *s, uint64_t addr, uint64_t val, unsigned size, struct mem_attr at)
{
    struct mem_range r;
    if (!space_find(s, addr, &r)) return MEM_NONE;
    if (size - 1 > r.last - addr) {
        for (unsigned i = 0; i < size; i++) {
            enum mem_result res = space_st(s, addr + i, val >> (8 * i) & 0xff, 1, at);
            if (res != MEM_OK) return res;
        }
        return MEM_OK;
    }
    if (r.ops) return mmio_st(s->mem, &r, addr - r.start, val, size, at);
    if (r.ram->readonly) return MEM_ERROR;
    if (!r.readonly) ram_st(r.ram, r.ram_off + (addr - r.start), size, val);
    return MEM_OK;
}

uint64_t space_read(struct space *s, uint64_t addr, void *buf, uint64_t len)
{
    uint64_t done = 0;
    struct mem_range r;
    while (done < len && addr + done >= addr && space_find(s, addr + done, &r) && r.ram) {
        uint64_t at = addr + done - r.start, n = MIN(len - done, r.last - (addr + done) + 1);
        if (!n) n = len - done; /* all 2^64 of them */
        if (!ram_read(r.ram, r.ram_off + at, (uint8_t *)buf + done, n)) break;
        done += n;
    }
    return done;
}

uint64_t space_write(struct space *s, uint64_t addr, const void *buf, uint64_t len, bool rom)
{
    uint64_t done = 0;
    struct mem_range r;
    while (done < len && addr + done >= addr && space_find(s, addr + done, &r) && r.ram && (rom || (!r.readonly && !r.ops))) {
        uint64_t at = addr + done - r.start, n = MIN(len - done, r.last - (addr + done) + 1);
        if (!n) n = len - done;
        if (!ram_write(r.ram, r.ram_off + at, (const uint8_t *)buf + done, n)) break;
        done += n;
    }
    return done;
}
