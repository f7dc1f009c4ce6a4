/* mem.c: memory system calls on gmem: mmap family, brk, madvise, System V shared memory attach. */
#include "user/linux/user.h"

#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC)

struct shm_seg {
    struct shm_seg *next;
    uint64_t addr, len;
};

static uint64_t page_mask(struct task *t)
{
    return gmem_page(t->p->mem) - 1;
}

/* Bits that an ABI adds beside PROT_BTI or that only steer growth ask for nothing here. */
static unsigned prot_from(const struct task *t, uint64_t prot)
{
    return ((unsigned)prot & PROT_KNOWN) | (prot & t->p->lnx->prot_guard ? GP_GUARD : 0);
}

int64_t sys_mmap(struct task *t, const uint64_t *a)
{
    uint64_t off = t->p->word == 4 ? a[5] << 12 : a[5]; /* 32-bit ABIs: mmap2, in units of 4096 bytes */
    int flags = (int)flags_to_host(t->p, &fl_map, (uint32_t)a[3]), fd = (int)a[4];
    if (!a[1] || (off & page_mask(t))) return -EINVAL;
    if (flags & MAP_ANONYMOUS) fd = -1, off = 0;
    /* huge pages and growing stacks are the host's business, not a guest's */
    flags &= ~(MAP_HUGETLB | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE);
    if (t->p->lnx->abi != LINUX_ABI_X86_64) flags &= ~MAP_32BIT;
    bool data = (a[2] & PROT_WRITE) && (flags & MAP_TYPE) == MAP_PRIVATE;
    if (!limits_allow(t->p, a[1], data)) return -ENOMEM;
    int64_t r = gmem_map(t->p->mem, a[0], a[1], prot_from(t, a[2]), flags, fd, off);
    if (r >= 0 && (flags & MAP_TYPE) != MAP_PRIVATE) task_shares(t);
    LOG(LOG_PAGE, "mmap 0x%llx + 0x%llx prot %llx flags 0x%x fd %d -> 0x%llx\n", (unsigned long long)a[0],
        (unsigned long long)a[1], (unsigned long long)a[2], flags, fd, (unsigned long long)r);
    return r;
}

int64_t sys_munmap(struct task *t, const uint64_t *a)
{
    return gmem_unmap(t->p->mem, a[0], a[1]);
}

int64_t sys_mprotect(struct task *t, const uint64_t *a)
{
    return gmem_protect(t->p->mem, a[0], a[1], prot_from(t, a[2]));
}

int64_t sys_pkey_mprotect(struct task *t, const uint64_t *a)
{
    return (int32_t)a[3] == -1 ? sys_mprotect(t, a) : -EINVAL;
}

int64_t sys_mremap(struct task *t, const uint64_t *a)
{
    if (a[2] > a[1] && !limits_allow(t->p, a[2] - a[1], true)) return -ENOMEM;
    return gmem_remap(t->p->mem, a[0], a[1], a[2], (int)a[3], a[4]);
}

int64_t sys_brk(struct task *t, const uint64_t *a)
{
    struct proc *p = t->p;
    uint64_t page = gmem_page(p->mem), want = a[0];
    pthread_mutex_lock(&p->lock);
    if (want >= p->brk_start && want < gmem_limit(p->mem) - page) {
        uint64_t end = ALIGN_UP(want, page);
        int64_t r = 0;
        if (end > p->brk_mapped && !limits_allow(p, end - p->brk_mapped, true)) {
            r = -ENOMEM;
        } else if (end > p->brk_mapped) {
            r = gmem_map(p->mem, p->brk_mapped, end - p->brk_mapped, GP_READ | GP_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
        } else if (end < p->brk_mapped) {
            r = gmem_unmap(p->mem, end, p->brk_mapped - end);
        }
        if (r >= 0) {
            p->brk_now = want;
            p->brk_mapped = end;
        }
    }
    uint64_t now = p->brk_now;
    pthread_mutex_unlock(&p->lock);
    return (int64_t)now;
}

/* The host range of [addr, addr + len) if all of it is the guest's, else NULL. */
static void *mapped(struct task *t, uint64_t addr, uint64_t len)
{
    uint64_t page = gmem_page(t->p->mem);
    if (addr & page_mask(t)) return NULL;
    if (!len) return (void *)(uintptr_t)(gmem_base(t->p->mem) + addr);
    if (addr + len < addr || addr + len > gmem_limit(t->p->mem)) return NULL;
    for (uint64_t at = addr; at < addr + len; at += page)
        if (!gmem_flags(t->p->mem, at)) return NULL;
    return (void *)(uintptr_t)(gmem_base(t->p->mem) + addr);
}

int64_t sys_msync(struct task *t, const uint64_t *a)
{
    if (a[0] & page_mask(t)) return -EINVAL;
    void *p = mapped(t, a[0], a[1]);
    return p ? SAFE(t, SYS_msync, p, a[1], (int)a[2]) : -ENOMEM;
}

int64_t sys_mlock(struct task *t, const uint64_t *a)
{
    uint64_t lo = ALIGN_DOWN(a[0], page_mask(t) + 1);
    void *p = mapped(t, lo, a[1] + (a[0] - lo));
    return p ? RAW(SYS_mlock, p, a[1] + (a[0] - lo)) : -ENOMEM;
}

int64_t sys_mlock2(struct task *t, const uint64_t *a)
{
    uint64_t lo = ALIGN_DOWN(a[0], page_mask(t) + 1);
    void *p = mapped(t, lo, a[1] + (a[0] - lo));
    return p ? RAW(SYS_mlock2, p, a[1] + (a[0] - lo), (int)a[2]) : -ENOMEM;
}

int64_t sys_munlock(struct task *t, const uint64_t *a)
{
    uint64_t lo = ALIGN_DOWN(a[0], page_mask(t) + 1);
    void *p = mapped(t, lo, a[1] + (a[0] - lo));
    return p ? RAW(SYS_munlock, p, a[1] + (a[0] - lo)) : -ENOMEM;
}

int64_t sys_mincore(struct task *t, const uint64_t *a)
{
    uint64_t page = page_mask(t) + 1, n = (a[1] + page - 1) / page;
    if (a[0] & (page - 1)) return -EINVAL;
    if (!n) return 0;
    if (a[1] > gmem_limit(t->p->mem)) return -ENOMEM;
    uint8_t *out = user_ptr(t, a[2], n, GP_WRITE);
    if (!out || out == BAD_PTR) return -EFAULT;
    void *p = mapped(t, a[0], n * page);
    if (!p) return -ENOMEM;
    if (page == 4096) return RAW(SYS_mincore, p, n * page, out);
    memset(out, 1, n);
    return 0;
}

int64_t sys_madvise(struct task *t, const uint64_t *a)
{
    uint64_t page = page_mask(t) + 1, len = ALIGN_UP(a[1], page);
    if ((a[0] & (page - 1)) || len < a[1]) return -EINVAL;
    if (!len) return 0;
    switch ((int)a[2]) {
    case MADV_DONTNEED: case MADV_FREE: case MADV_REMOVE: case MADV_WIPEONFORK: case MADV_KEEPONFORK:
    case MADV_DONTFORK: case MADV_DOFORK: case MADV_POPULATE_READ: case MADV_POPULATE_WRITE: {
        void *p = mapped(t, a[0], len);
        if (!p) return -ENOMEM;
        /* what was translated from pages that are about to lose their contents must go: take the write path */
        if ((int)a[2] == MADV_DONTNEED && (gmem_flags(t->p->mem, a[0]) & GP_WRITE)) gmem_ptr(t->p->mem, a[0], len, GP_WRITE);
        return RAW(SYS_madvise, p, len, (int)a[2]);
    }
    default:
        return (int)a[2] < 0 ? -EINVAL : 0; /* advice about speed */
    }
}

int64_t sys_membarrier(struct task *t, const uint64_t *a)
{
    return RAW(SYS_membarrier, (int)a[0], (unsigned)a[1], (int)a[2]);
}

/* One node: what a kernel without NUMA answers. */
int64_t sys_mbind(struct task *t, const uint64_t *a)
{
    return -ENOSYS;
}

int64_t sys_get_mempolicy(struct task *t, const uint64_t *a)
{
    return -ENOSYS;
}

int64_t sys_set_mempolicy(struct task *t, const uint64_t *a)
{
    return -ENOSYS;
}

/* --- System V shared memory -------------------------------------------------------------------------------------------- */
int64_t sys_shmat(struct task *t, const uint64_t *a)
{
    struct proc *p = t->p;
    struct shmid_ds ds;
    uint64_t page = gmem_page(p->mem), addr = a[1];
    long r = RAW(SYS_shmctl, (int)a[0], IPC_STAT, &ds);
    if (r < 0) return r;
    if (addr & (page - 1)) {
        if (!((int)a[2] & SHM_RND)) return -EINVAL;
        addr = ALIGN_DOWN(addr, page);
    }
    uint64_t len = ALIGN_UP((uint64_t)ds.shm_segsz, page);
    unsigned prot = GP_READ | ((int)a[2] & SHM_RDONLY ? 0 : GP_WRITE) | ((int)a[2] & SHM_EXEC ? GP_EXEC : 0);
    int fixed = !addr ? 0 : (int)a[2] & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    /* reserve the range as the guest's, then put the segment in its place */
    int64_t at = gmem_map(p->mem, addr, len, prot, MAP_SHARED | MAP_ANONYMOUS | fixed, -1, 0);
    if (at < 0) return at == -EEXIST ? -EINVAL : at;
    r = RAW(SYS_shmat, (int)a[0], gmem_base(p->mem) + (uint64_t)at, ((int)a[2] & SHM_RDONLY) | SHM_REMAP);
    if (r < 0) {
        gmem_unmap(p->mem, (uint64_t)at, len);
        return r;
    }
    task_shares(t);
    struct shm_seg *s = xalloc(sizeof *s);
    s->addr = (uint64_t)at;
    s->len = len;
    pthread_mutex_lock(&p->lock);
    s->next = p->shm;
    p->shm = s;
    pthread_mutex_unlock(&p->lock);
    return at;
}

int64_t sys_shmdt(struct task *t, const uint64_t *a)
{
    struct proc *p = t->p;
    int64_t r = -EINVAL;
    pthread_mutex_lock(&p->lock);
    for (struct shm_seg **q = &p->shm; *q; q = &(*q)->next) {
        struct shm_seg *s = *q;
        if (s->addr != a[0]) continue;
        *q = s->next;
        r = gmem_unmap(p->mem, s->addr, s->len); /* takes the attachment with it */
        free(s);
        break;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}
