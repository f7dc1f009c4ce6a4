/*
 * monitor_line.c: editing of the human monitor's line: as in a shell (Ctrl-A E B F D K U W L P N, arrows, Home, End, Delete, Tab), with a
 * history. What is shown is redrawn from the cursor on only. VT100 sequences.
 */
#include "sys/monitor_cmd.h"

#include <stdio.h>
#include <stdlib.h>

static const char prompt[] = "(qemu) ";

static void show(struct mon_line *l, const char *s)
{
    mon_put(l->out, s, strlen(s));
}

static void left(struct mon_line *l, unsigned n)
{
    char buf[24];
    if (!n) return;
    snprintf(buf, sizeof buf, n == 1 ? "\033[D" : "\033[%uD", n);
    show(l, buf);
}

/* From the cursor on. */
static void redraw(struct mon_line *l)
{
    mon_put(l->out, l->text + l->pos, l->len - l->pos);
    show(l, "\033[K");
    left(l, l->len - l->pos);
}

void mon_line_prompt(struct mon_line *l)
{
    l->len = l->pos = 0;
    l->text[0] = 0;
    l->at = -1;
    show(l, prompt);
}

static void move(struct mon_line *l, unsigned to)
{
    if (to < l->pos)
        left(l, l->pos - to);
    else
        mon_put(l->out, l->text + l->pos, to - l->pos);
    l->pos = to;
}

static void insert(struct mon_line *l, const char *s, size_t n)
{
    if (l->len + n >= sizeof l->text) return;
    memmove(l->text + l->pos + n, l->text + l->pos, l->len - l->pos);
    memcpy(l->text + l->pos, s, n);
    l->len += (unsigned)n;
    l->text[l->len] = 0;
    l->pos += (unsigned)n;
    mon_put(l->out, s, n);
    if (l->pos < l->len) redraw(l);
}

/* [from, to) goes; the cursor stands there then. */
static void cut(struct mon_line *l, unsigned from, unsigned to)
{
    if (from >= to) return;
    move(l, from);
    memmove(l->text + from, l->text + to, l->len - to);
    l->len -= to - from;
    l->text[l->len] = 0;
    redraw(l);
}

static void replace(struct mon_line *l, const char *s)
{
    move(l, 0);
    l->len = (unsigned)MIN(strlen(s), sizeof l->text - 1);
    memcpy(l->text, s, l->len);
    l->text[l->len] = 0;
    redraw(l);
    move(l, l->len);
}

/* --- history ------------------------------------------------------------------------------------------------------------------ */

static void remember(struct mon_line *l, const char *s)
{
    struct mon_hist *h = &l->hist;
    if (!*s || (h->count && !strcmp(h->line[h->count - 1], s))) return;
    if (h->count == ARRAY_LEN(h->line)) {
        free(h->line[0]);
        memmove(h->line, h->line + 1, sizeof h->line - sizeof h->line[0]);
        h->count--;
    }
    h->line[h->count++] = strdup(s);
}

static void browse(struct mon_line *l, bool back)
{
    int last = (int)l->hist.count - 1;
    if (back && l->at != 0 && last >= 0) {
        if (l->at < 0) {
            free(l->kept);
            l->kept = strdup(l->text);
        }
        l->at = l->at < 0 ? last : l->at - 1;
        replace(l, l->hist.line[l->at]);
    } else if (!back && l->at >= 0) {
        l->at = l->at == last ? -1 : l->at + 1;
        replace(l, l->at < 0 ? l->kept : l->hist.line[l->at]);
    }
}

void mon_line_done(struct mon_line *l)
{
    for (unsigned i = 0; i < l->hist.count; i++) free(l->hist.line[i]);
    free(l->kept);
    l->hist.count = 0;
    l->kept = NULL;
}

/* --- completion ------------------------------------------------------------------------------------------------------------------ */

struct words {
    char common[256];
    struct mon_text list;
    unsigned count;
};

static void add_word(void *to, const char *word)
{
    struct words *w = to;
    if (!w->count++) {
        snprintf(w->common, sizeof w->common, "%s", word);
    } else {
        size_t n = 0;
        while (w->common[n] && w->common[n] == word[n]) n++;
        w->common[n] = 0;
    }
    char col[64];
    int len = snprintf(col, sizeof col, "%-24s%s", word, w->count % 3 ? "" : "\r\n");
    mon_put(&w->list, col, (size_t)MIN(len, (int)sizeof col - 1));
}

static void tab(struct mon_line *l)
{
    struct words w = { 0 };
    char *line = strndup(l->text, l->pos);
    const char *word = line + l->pos;
    while (word > line && word[-1] != ' ') word--;
    size_t have = strlen(word);
    if (l->complete) l->complete(l->ctx, line, add_word, &w);
    if (w.count && strlen(w.common) > have) insert(l, w.common + have, strlen(w.common) - have);
    if (w.count == 1) {
        insert(l, " ", 1);
    } else if (w.count && strlen(w.common) <= have) {
        show(l, "\r\n");
        mon_put(l->out, w.list.buf, w.list.len);
        if (w.count % 3) show(l, "\r\n");
        show(l, prompt);
        mon_put(l->out, l->text, l->len);
        left(l, l->len - l->pos);
    }
    free(w.list.buf);
    free(line);
}

/* --- keys -------------------------------------------------------------------------------------------------------------------------- */

static unsigned word_start(const struct mon_line *l)
{
    unsigned p = l->pos;
    while (p && l->text[p - 1] == ' ') p--;
    while (p && l->text[p - 1] != ' ') p--;
    return p;
}

static void escape(struct mon_line *l, uint8_t b)
{
    if (l->esc == 1) {
        l->esc = b == '[' ? 2 : b == 'O' ? 3 : b == 27 ? 1 : 0;
        l->param = 0;
        return;
    }
    if (l->esc == 2 && b >= '0' && b <= '9') {
        l->param = (l->param * 10 + (b - '0')) % 1000;
        return;
    }
    l->esc = 0;
    if (b == '~') b = l->param == 1 || l->param == 7 ? 'H' : l->param == 4 || l->param == 8 ? 'F' : l->param == 3 ? 'X' : 0;
    switch (b) {
    case 'A': browse(l, true); break;
    case 'B': browse(l, false); break;
    case 'C': move(l, MIN(l->pos + 1, l->len)); break;
    case 'D': move(l, l->pos ? l->pos - 1 : 0); break;
    case 'H': move(l, 0); break;
    case 'F': move(l, l->len); break;
    case 'X': cut(l, l->pos, MIN(l->pos + 1, l->len)); break;
    }
}

static void enter(struct mon_line *l)
{
    char *line = strdup(l->text);
    move(l, l->len);
    show(l, "\r\n");
    remember(l, line);
    l->enter(l->ctx, line);
    free(line);
}

void mon_line_byte(struct mon_line *l, uint8_t b)
{
    bool after_cr = l->cr && b == '\n'; /* telnet's end of line */
    l->cr = b == '\r';
    if (after_cr) return;
    if (l->esc) {
        escape(l, b);
        return;
    }
    switch (b) {
    case 1: move(l, 0); break;
    case 2: move(l, l->pos ? l->pos - 1 : 0); break;
    case 3: /* Ctrl-C: another line */
        show(l, "^C\r\n");
        mon_line_prompt(l);
        break;
    case 4: cut(l, l->pos, MIN(l->pos + 1, l->len)); break;
    case 5: move(l, l->len); break;
    case 6: move(l, MIN(l->pos + 1, l->len)); break;
    case 8: case 127: cut(l, l->pos ? l->pos - 1 : 0, l->pos); break;
    case 9: tab(l); break;
    case 10: case 13: enter(l); break;
    case 11: cut(l, l->pos, l->len); break;
    case 12:
        show(l, "\033[H\033[J");
        show(l, prompt);
        mon_put(l->out, l->text, l->len);
        left(l, l->len - l->pos);
        break;
    case 14: browse(l, false); break;
    case 16: browse(l, true); break;
    case 21: cut(l, 0, l->pos); break;
    case 23: cut(l, word_start(l), l->pos); break;
    case 27: l->esc = 1; break;
    default:
        if (b >= 32) insert(l, (const char *)&b, 1);
    }
}
