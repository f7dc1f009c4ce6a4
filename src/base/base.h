/* base.h: types and small helpers that every folder uses (floor 0, no dependency but libc). */
#ifndef LYRE_BASE_H
#define LYRE_BASE_H

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 128-bit vector as a value: GCC/clang pass it in one SSE register on x86-64, so helpers may take and return it. */
typedef uint64_t v128 __attribute__((vector_size(16)));
typedef unsigned __int128 u128;
typedef __int128 s128;

/* The bytes of a v128 by lane; lane 0 is the least significant on every host (guest lane order, little endian). */
union vlanes {
    v128 v;
    uint8_t u8[16];
    int8_t s8[16];
    uint16_t u16[8];
    int16_t s16[8];
    uint32_t u32[4];
    int32_t s32[4];
    uint64_t u64[2];
    int64_t s64[2];
    u128 u128;
};

#define ARRAY_LEN(a)       (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)          ((a) < (b) ? (a) : (b))
#define MAX(a, b)          ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, n)     (((x) + (n) - 1) & ~((__typeof__(x))(n) - 1))
#define ALIGN_DOWN(x, n)   ((x) & ~((__typeof__(x))(n) - 1))
#define likely(x)          __builtin_expect(!!(x), 1)
#define unlikely(x)        __builtin_expect(!!(x), 0)
#define PRINTF(f, a)       __attribute__((format(printf, f, a)))
#define UNUSED             __attribute__((unused))
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))

/* A mask of the low n bits, 0 <= n <= 64. */
static inline uint64_t bits_mask(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

/* x's low n bits (1..64) as a signed number. */
static inline int64_t bits_sext(uint64_t x, unsigned n)
{
    return (int64_t)(x << (64 - n)) >> (64 - n);
}

/*
 * An error that carries one sentence for the user: what was wrong, where, and what would be accepted.
 * Functions that can fail return 0 or -errno and fill *e when e is not NULL.
 */
struct err {
    int code; /* the positive errno, 0 = no error */
    char msg[252];
};

/* Fills *e (if any) and returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF(3, 4);

/* Is word one of the comma-separated list? NULL: an empty list. */
static inline bool str_in_list(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == len && !memcmp(p, word, len)) return true;
    return false;
}

/* What `-d` selects; log_mask is set once at start-up by the command line, before threads exist. */
enum log_bit {
    LOG_IN_ASM = 1 << 0,  /* guest instructions as they are translated */
    LOG_IR = 1 << 1,      /* IR as the front end built it */
    LOG_IR_OPT = 1 << 2,  /* IR after the passes */
    LOG_OUT_ASM = 1 << 3, /* host code bytes */
    LOG_EXEC = 1 << 4,    /* each entry from the exec loop into a region */
    LOG_INT = 1 << 5,     /* exceptions, signals */
    LOG_CPU = 1 << 6,     /* registers at each LOG_EXEC line */
    LOG_STRACE = 1 << 7,  /* guest system calls */
    LOG_UNIMP = 1 << 8,   /* what the guest asked for and is not there */
    LOG_GUEST_ERR = 1 << 9,
    LOG_PAGE = 1 << 10,   /* memory map changes */
    LOG_STATS = 1 << 11,  /* counters at exit */
    LOG_NOCHAIN = 1 << 12,
};
extern unsigned log_mask;

/* Writes one formatted piece to the log (stderr, or the file of log_open); thread-safe per call. */
void log_write(const char *fmt, ...) PRINTF(1, 2);
/* Sends the log to a file ("%d" in the path becomes the pid). */
int log_open(const char *path, struct err *e);
/* The log's own descriptor, -1 = none. */
int log_own_fd(void);
/*
 * `-dfilter`: ranges of guest pcs, "first..last", "start+size" or "end-size", separated by commas; what is logged about code
 * is logged for these only. Set before threads exist.
 */
int log_filter(const char *ranges, struct err *e);
bool log_wants(uint64_t pc);
/* Parses a comma-separated `-d` list into *mask. */
int log_parse(const char *list, unsigned *mask, struct err *e);
/* Item number i and a line of help; -ENOENT past the last one. */
int log_item(unsigned i, const char **name, const char **help);

/* The same for what concerns the code at a pc. */
#define LOGS_CODE(bit, pc) unlikely((log_mask & (bit)) && log_wants(pc))
#define LOG(bit, ...)                                    \
    do {                                                 \
        if (unlikely(log_mask & (bit))) log_write(__VA_ARGS__); \
    } while (0)

/* Zeroed memory that never fails to the caller's eyes: out of memory ends in a message and _exit(71). */
void *xalloc(size_t size);
void *xrealloc(void *p, size_t old_size, size_t new_size);

/* Grows a vector: makes room for `need` elements of `size` bytes in *p, *cap elements being allocated now. */
void *vec_grow(void *p, uint32_t *cap, uint32_t need, size_t size);

#endif
