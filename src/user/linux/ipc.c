/* ipc.c: System V semaphores and message queues, control of shared memory, POSIX message queues, keys. */
#include "user/linux/user.h"

#include <linux/keyctl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

enum { K_IPC_64 = 0x100, SEM_OPS = 500, SEM_ALL = 32000, MSG_LIMIT = 1 << 20 };

/* IPC_STAT and friends fill a struct, IPC_SET reads it: one path for all three kinds. */
static int64_t control(struct task *t, long nr, int id, int cmd, uint64_t addr, const struct layout *l, bool stat, bool set)
{
    union { struct semid_ds sem; struct shmid_ds shm; struct msqid_ds msg; struct shminfo si; struct seminfo se; uint8_t b[512]; } u;
    int r;
    memset(&u, 0, sizeof u);
    if (set && (r = lay_get(t, l, &u, addr)) < 0) return r;
    int64_t ret = nr == SYS_semctl ? RAW(nr, id, 0, cmd, &u) : RAW(nr, id, cmd, &u);
    return ret < 0 || !stat ? ret : (r = lay_put(t, l, addr, &u)) < 0 ? r : ret;
}

int64_t sys_shmctl(struct task *t, const uint64_t *a)
{
    int id = (int)a[0], cmd = (int)a[1] & ~K_IPC_64;
    switch (cmd) {
    case IPC_STAT: case SHM_STAT: case SHM_STAT_ANY: return control(t, SYS_shmctl, id, cmd, a[2], &lay_shmid, true, false);
    case IPC_SET: return control(t, SYS_shmctl, id, cmd, a[2], &lay_shmid, false, true);
    case IPC_INFO: return control(t, SYS_shmctl, id, cmd, a[2], &lay_shminfo, true, false);
    case IPC_RMID: case SHM_LOCK: case SHM_UNLOCK: return RAW(SYS_shmctl, id, cmd, NULL);
    default: return -EINVAL;
    }
}

int64_t sys_msgctl(struct task *t, const uint64_t *a)
{
    int id = (int)a[0], cmd = (int)a[1] & ~K_IPC_64;
    switch (cmd) {
    case IPC_STAT: case MSG_STAT: case MSG_STAT_ANY: return control(t, SYS_msgctl, id, cmd, a[2], &lay_msqid, true, false);
    case IPC_SET: return control(t, SYS_msgctl, id, cmd, a[2], &lay_msqid, false, true);
    case IPC_RMID: return RAW(SYS_msgctl, id, cmd, NULL);
    default: return -EINVAL;
    }
}

static int64_t sem_count(int id)
{
    struct semid_ds ds;
    int64_t r = RAW(SYS_semctl, id, 0, IPC_STAT, &ds);
    return r < 0 ? r : (int64_t)ds.sem_nsems;
}

static int64_t sem_all(struct task *t, int id, int cmd, uint64_t addr)
{
    uint16_t v[SEM_ALL];
    int64_t n = sem_count(id), r = 0;
    if (n < 0) return n;
    if (n > SEM_ALL) return -EINVAL;
    for (int64_t i = 0; i < n && cmd == SETALL; i++) {
        uint64_t x;
        if ((r = get_uint(t, addr + (uint64_t)i * 2, 2, &x)) < 0) return r;
        v[i] = (uint16_t)x;
    }
    r = RAW(SYS_semctl, id, 0, cmd, v);
    for (int64_t i = 0; i < n && cmd == GETALL && r >= 0; i++) r = put_uint(t, addr + (uint64_t)i * 2, 2, v[i]);
    return r;
}

int64_t sys_semctl(struct task *t, const uint64_t *a)
{
    int id = (int)a[0], cmd = (int)a[2] & ~K_IPC_64;
    switch (cmd) {
    case IPC_STAT: case SEM_STAT: case SEM_STAT_ANY: return control(t, SYS_semctl, id, cmd, a[3], &lay_semid, true, false);
    case IPC_SET: return control(t, SYS_semctl, id, cmd, a[3], &lay_semid, false, true);
    case IPC_INFO: case SEM_INFO: return control(t, SYS_semctl, id, cmd, a[3], &lay_seminfo, true, false);
    case GETALL: case SETALL: return sem_all(t, id, cmd, a[3]);
    case SETVAL: return RAW(SYS_semctl, id, (int)a[1], cmd, (int)a[3]);
    case IPC_RMID: case GETVAL: case GETPID: case GETNCNT: case GETZCNT: return RAW(SYS_semctl, id, (int)a[1], cmd, 0);
    default: return -EINVAL;
    }
}

static int64_t sem_operate(struct task *t, const uint64_t *a, const struct timespec *ts)
{
    struct sembuf ops[SEM_OPS];
    if (a[2] > SEM_OPS) return -E2BIG;
    int r = lay_get_n(t, &lay_sembuf, ops, a[1], a[2]);
    return r < 0 ? r : SAFE(t, SYS_semtimedop, (int)a[0], ops, a[2], ts);
}

int64_t sys_semop(struct task *t, const uint64_t *a)
{
    return sem_operate(t, a, NULL);
}

int64_t sys_semtimedop(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    int r = a[3] ? lay_get(t, &lay_timespec, &ts, a[3]) : 0;
    return r < 0 ? r : sem_operate(t, a, a[3] ? &ts : NULL);
}

/* struct msgbuf: a long, then the text. */
int64_t sys_msgsnd(struct task *t, const uint64_t *a)
{
    uint64_t type;
    if (a[2] > MSG_LIMIT) return -EINVAL;
    int64_t r = get_uint(t, a[1], t->p->word, &type);
    if (r < 0) return r;
    uint8_t *buf = xalloc(8 + a[2]);
    int64_t host = t->p->word == 4 ? (int32_t)type : (int64_t)type;
    memcpy(buf, &host, 8);
    r = get_bytes(t, buf + 8, a[1] + t->p->word, a[2]);
    if (r >= 0) r = SAFE(t, SYS_msgsnd, (int)a[0], buf, a[2], (int)a[3]);
    free(buf);
    return r;
}

int64_t sys_msgrcv(struct task *t, const uint64_t *a)
{
    uint64_t size = MIN(a[2], (uint64_t)MSG_LIMIT);
    int64_t want = t->p->word == 4 ? (int32_t)a[3] : (int64_t)a[3], type;
    if ((int64_t)a[2] < 0) return -EINVAL;
    uint8_t *buf = xalloc(8 + size);
    int64_t n = SAFE(t, SYS_msgrcv, (int)a[0], buf, size, want, (int)a[4]);
    if (n >= 0) {
        memcpy(&type, buf, 8);
        int r = put_uint(t, a[1], t->p->word, (uint64_t)type);
        if (r >= 0) r = put_bytes(t, a[1] + t->p->word, buf + 8, (size_t)n);
        if (r < 0) n = r;
    }
    free(buf);
    return n;
}

int64_t sys_mq_open(struct task *t, const uint64_t *a)
{
    char name[256];
    struct mq_attr attr;
    int r = get_str(t, name, sizeof name, a[0]);
    if (r < 0) return r;
    if (a[3] && (r = lay_get(t, &lay_mq_attr, &attr, a[3])) < 0) return r;
    return RAW(SYS_mq_open, name, flags_to_host(t->p, &fl_open, (uint32_t)a[1]), (unsigned)a[2], a[3] ? &attr : NULL);
}

/* Operations whose arguments are numbers, names or buffers; those with structs of pointers are refused. */
int64_t sys_keyctl(struct task *t, const uint64_t *a)
{
    char s1[4096], s2[4096];
    void *p;
    int r;
    switch ((int)a[0]) {
    case KEYCTL_GET_KEYRING_ID: case KEYCTL_REVOKE: case KEYCTL_CHOWN: case KEYCTL_SETPERM: case KEYCTL_CLEAR: case KEYCTL_LINK:
    case KEYCTL_UNLINK: case KEYCTL_SET_REQKEY_KEYRING: case KEYCTL_SET_TIMEOUT: case KEYCTL_ASSUME_AUTHORITY:
    case KEYCTL_SESSION_TO_PARENT: case KEYCTL_REJECT: case KEYCTL_NEGATE: case KEYCTL_INVALIDATE: case KEYCTL_GET_PERSISTENT:
        return RAW(SYS_keyctl, a[0], a[1], a[2], a[3], a[4]);
    case KEYCTL_JOIN_SESSION_KEYRING:
        if (a[1] && (r = get_str(t, s1, sizeof s1, a[1])) < 0) return r;
        return RAW(SYS_keyctl, a[0], a[1] ? s1 : NULL);
    case KEYCTL_UPDATE: case KEYCTL_INSTANTIATE:
        p = user_ptr(t, a[2], a[3], GP_READ);
        return p == BAD_PTR ? -EFAULT : RAW(SYS_keyctl, a[0], a[1], p, a[3], a[4]);
    case KEYCTL_DESCRIBE: case KEYCTL_READ: case KEYCTL_GET_SECURITY:
        p = user_ptr(t, a[2], a[3], GP_WRITE);
        return p == BAD_PTR ? -EFAULT : RAW(SYS_keyctl, a[0], a[1], p, a[3]);
    case KEYCTL_SEARCH:
        if ((r = get_str(t, s1, sizeof s1, a[2])) < 0 || (r = get_str(t, s2, sizeof s2, a[3])) < 0) return r;
        return RAW(SYS_keyctl, a[0], a[1], s1, s2, a[4]);
    default: return -EOPNOTSUPP;
    }
}
