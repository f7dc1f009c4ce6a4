/* Lists, a matrix, a state machine, CRCs: the mix of an embedded benchmark, written for this suite. */
#include "bench.h"
struct node { struct node *next; int16_t val, key; };
static struct node pool[256];
static uint16_t crc16(uint16_t c, uint16_t d)
{
    for (int i = 0; i < 16; i++, d >>= 1) c = (c ^ d) & 1 ? (uint16_t)(c >> 1 ^ 0xa001) : c >> 1;
    return c;
}
static struct node *merge_sort(struct node *l)
{
    if (!l || !l->next) return l;
    struct node *s = l, *f = l->next;
    while (f && f->next) s = s->next, f = f->next->next;
    struct node *r = s->next, head, *t = &head;
    s->next = NULL;
    l = merge_sort(l), r = merge_sort(r);
    while (l && r)
        if (l->val <= r->val) t = t->next = l, l = l->next; else t = t->next = r, r = r->next;
    t->next = l ? l : r;
    return head.next;
}
static int32_t matrix(int16_t a[24][24], int16_t b[24][24])
{
    int32_t sum = 0;
    for (int i = 0; i < 24; i++)
        for (int j = 0; j < 24; j++) {
            int32_t s = 0;
            for (int k = 0; k < 24; k++) s += a[i][k] * b[k][j];
            sum += s >> 3 & 0x7f;
        }
    return sum;
}
static int state(const char *p)
{
    int st = 0, n[8] = { 0 };
    for (; *p; p++) {
        switch (st) {
        case 0: st = *p >= '0' && *p <= '9' ? 1 : *p == '+' || *p == '-' ? 2 : *p == '.' ? 3 : 7; break;
        case 1: st = *p == '.' ? 3 : *p == ',' ? 0 : *p >= '0' && *p <= '9' ? 1 : 7; break;
        case 2: st = *p >= '0' && *p <= '9' ? 1 : *p == '.' ? 3 : 7; break;
        case 3: st = *p == 'e' ? 4 : *p == ',' ? 0 : *p >= '0' && *p <= '9' ? 3 : 7; break;
        case 4: st = *p == '-' || *p == '+' ? 5 : 7; break;
        case 5: st = *p >= '0' && *p <= '9' ? 5 : *p == ',' ? 0 : 7; break;
        default: st = *p == ',' ? 0 : 7;
        }
        n[st]++;
    }
    return n[0] + n[1] * 2 + n[3] * 3 + n[5] * 5 + n[7] * 7;
}
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 12000);
    uint64_t s = 88172645463325252ull;
    uint16_t crc = 0xffff;
    static int16_t a[24][24], b[24][24];
    static const char text[] = "5012,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";
    for (unsigned r = 0; r < n; r++) {
        for (int i = 0; i < 256; i++) {
            pool[i].val = (int16_t)rnd(&s);
            pool[i].next = i < 255 ? &pool[i + 1] : NULL;
        }
        for (int i = 0; i < 24; i++)
            for (int j = 0; j < 24; j++) a[i][j] = (int16_t)(i * j + (int)r), b[i][j] = (int16_t)(i - j);
        struct node *l = merge_sort(pool);
        for (int i = 0; l && i < 64; l = l->next, i++) crc = crc16(crc, (uint16_t)l->val);
        crc = crc16(crc, (uint16_t)matrix(a, b));
        for (int i = 0; i < 4; i++) crc = crc16(crc, (uint16_t)state(text + i));
    }
    printf("%04x\n", crc);
    return 0;
}
