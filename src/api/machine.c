/* machine.c: machines and their memory. */
#include "api/api.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cpu/host.h"

enum { ADDRESS_BITS_MIN = 32, ADDRESS_BITS_MAX = 46, ADDRESS_BITS_DEFAULT = 38, PAGE_MAX = 65536 };
enum { CACHE_MIN = 1 << 20 };
#define CACHE_MAX ((size_t)2 << 30)
_Static_assert((int)LYRE_READ == GP_READ && (int)LYRE_WRITE == GP_WRITE && (int)LYRE_EXEC == GP_EXEC, "protections are gmem's");

/* --- life ----------------------------------------------------------------------------------------------- */

/* The caller's options in our form: what they do not know of is 0, what we do not know of must be. */
static int take_options(lyre_machine_options *o, const lyre_machine_options *from, struct err *e)
{
    memset(o, 0, sizeof *o);
    for (size_t i = sizeof *o; from && i < from->size; i++)
        if (((const char *)from)[i]) return err_set(e, EINVAL, "the options are of a later version of the library");
    if (from) memcpy(o, from, MIN(from->size, sizeof *o));
    return 0;
}

static int check_options(const lyre_machine_options *o, const struct guest *g, struct err *e)
{
    uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
    if (o->address_bits && g->addr_bits <= 32 && o->address_bits != g->addr_bits)
        return err_set(e, EINVAL, "address_bits %u: %s has %u", o->address_bits, g->name, g->addr_bits);
    if (o->address_bits && (o->address_bits < ADDRESS_BITS_MIN || o->address_bits > ADDRESS_BITS_MAX))
        return err_set(e, EINVAL, "address_bits %u: from %d to %d", o->address_bits, ADDRESS_BITS_MIN, ADDRESS_BITS_MAX);
    if (o->page_size && (o->page_size < page || o->page_size > PAGE_MAX || o->page_size & (o->page_size - 1)))
        return err_set(e, EINVAL, "page_size %u: a power of two from %u to %d", o->page_size, page, PAGE_MAX);
    if (o->code_cache && (o->code_cache < CACHE_MIN || o->code_cache > CACHE_MAX))
        return err_set(e, EINVAL, "code_cache %zu: from 1 MiB to 2 GiB", o->code_cache);
    return 0;
}

lyre_machine *lyre_open(const char *guest, const lyre_machine_options *options, lyre_error *error)
{
    struct err *e = api_err(error);
    const struct guest *g = guest_find(guest);
    lyre_machine_options o;
    if (!g) {
        err_set(e, ENOENT, "no guest '%s'", guest);
        return NULL;
    }
    if (take_options(&o, options, e) || check_options(&o, g, e)) return NULL;
    const char *accel = o.accel ? o.accel : "jit";
    const struct host *host = host_of_accel(accel, strlen(accel));
    if (!host) {
        err_set(e, EINVAL, "accel '%s': not one of jit, interp", accel);
        return NULL;
    }
    lyre_machine *m = xalloc(sizeof *m);
    unsigned bits = g->addr_bits <= 32 ? g->addr_bits : o.address_bits ? o.address_bits : ADDRESS_BITS_DEFAULT;
    m->guest = g;
    m->mem = gmem_new_at(bits, o.page_size, GMEM_ANYWHERE, 1ull << bits, e);
    if (m->mem) {
        gmem_use_top(m->mem);
        /* nothing is walked: a hook expects to be called from translated code */
        struct engine_config cfg = { .guest = g, .host = host, .mem = m->mem, .probes = true, .cache_bytes = o.code_cache,
                                     .opt_passes = ~0u, .warmup = 0 };
        m->engine = engine_new(&cfg, e);
    }
    if (!m->engine) {
        gmem_free(m->mem);
        free(m);
        return NULL;
    }
    pthread_mutex_init(&m->lock, NULL);
    api_install_handlers();
    return m;
}

static void free_hooks(struct lyre_hook *h)
{
    for (struct lyre_hook *next; h; h = next) {
        next = h->next;
        free(h);
    }
}

void lyre_close(lyre_machine *m)
{
    if (!m) return;
    while (m->cpus) lyre_cpu_free(m->cpus);
    free_hooks(m->code_hooks);
    free_hooks(m->exception_hooks);
    engine_free(m->engine);
    gmem_free(m->mem);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* --- memory --------------------------------------------------------------------------------------------- */

static bool bad_range(const lyre_machine *m, uint64_t addr, uint64_t len)
{
    uint64_t odd = gmem_page(m->mem) - 1, limit = gmem_limit(m->mem);
    return !len || (addr | len) & odd || addr >= limit || len > limit - addr;
}

int lyre_map(lyre_machine *m, uint64_t addr, uint64_t len, unsigned prot, int fd, uint64_t offset)
{
    if (bad_range(m, addr, len) || prot & ~(unsigned)(GP_READ | GP_WRITE | GP_EXEC)) return -EINVAL;
    int flags = MAP_FIXED_NOREPLACE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED);
    int64_t r = gmem_map(m->mem, addr, len, prot, flags, fd, fd < 0 ? 0 : offset);
    api_changed();
    return r < 0 ? (int)r : 0;
}

int lyre_unmap(lyre_machine *m, uint64_t addr, uint64_t len)
{
    if (bad_range(m, addr, len)) return -EINVAL;
    api_changed();
    return gmem_unmap(m->mem, addr, len);
}

int lyre_protect(lyre_machine *m, uint64_t addr, uint64_t len, unsigned prot)
{
    if (bad_range(m, addr, len) || prot & ~(unsigned)(GP_READ | GP_WRITE | GP_EXEC)) return -EINVAL;
    api_changed();
    return gmem_protect(m->mem, addr, len, prot);
}

struct search {
    uint64_t addr;
    lyre_range found;
};

/* Joins neighbours that differ in what is no concern of the caller's. */
static int look(void *ctx, uint64_t start, uint64_t end, unsigned flags)
{
    struct search *s = ctx;
    unsigned prot = flags & (GP_READ | GP_WRITE | GP_EXEC);
    lyre_range *f = &s->found;
    if (f->end == start && f->protection == prot) {
        f->end = end;
        return 0;
    }
    if (f->end > s->addr) return 1;
    *f = (lyre_range){ .start = start, .end = end, .protection = prot };
    return 0;
}

int lyre_mapped(lyre_machine *m, uint64_t addr, lyre_range *range)
{
    struct search s = { .addr = addr };
    gmem_walk(m->mem, look, &s);
    if (s.found.end <= addr) return -ENOENT;
    API_FILL(range, s.found);
    return 0;
}

static int access_memory(lyre_machine *m, uint64_t addr, void *buf, size_t len, size_t *done, bool write)
{
    size_t n = gmem_access(m->mem, addr, buf, len, write);
    if (done) *done = n;
    return n == len ? 0 : -EFAULT;
}

int lyre_read(lyre_machine *m, uint64_t addr, void *buf, size_t len, size_t *done)
{
    return access_memory(m, addr, buf, len, done, false);
}

int lyre_write(lyre_machine *m, uint64_t addr, const void *buf, size_t len, size_t *done)
{
    api_changed();
    return access_memory(m, addr, (void *)(uintptr_t)buf, len, done, true);
}

void lyre_code_changed(lyre_machine *m, uint64_t addr, uint64_t len)
{
    uint64_t limit = gmem_limit(m->mem);
    if (addr >= limit || !len) return;
    engine_invalidate(m->engine, addr, addr + MIN(len, limit - addr));
    api_changed();
}
