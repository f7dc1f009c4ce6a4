/*
 * qcow2_comp.c: compressed clusters: raw deflate (12-bit window, as every reader expects) or zstd. They lie at any byte, several in
 * a host cluster; each counts as one reference of every host cluster it touches.
 */
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include "io/block/qcow2.h"

static bool inflate_raw(const uint8_t *in, size_t n, uint8_t *out, size_t want)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)n, .next_out = out, .avail_out = (uInt)want };
    if (inflateInit2(&z, -15) != Z_OK) return false;
    int r = inflate(&z, Z_FINISH); /* what follows in the last sector is not looked at */
    bool ok = (r == Z_STREAM_END || (r == Z_BUF_ERROR && !z.avail_out)) && !z.avail_out;
    inflateEnd(&z);
    return ok;
}

static bool unzstd(const uint8_t *in, size_t n, uint8_t *out, size_t want)
{
    ZSTD_DStream *d = ZSTD_createDStream();
    ZSTD_inBuffer i = { in, n, 0 };
    ZSTD_outBuffer o = { out, want, 0 };
    size_t r = 1;
    if (!d) return false;
    ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 24); /* 16 MiB: a cluster has 2 at most */
    while (r && !ZSTD_isError(r) && o.pos < o.size) {
        size_t before = o.pos, ate = i.pos;
        r = ZSTD_decompressStream(d, &o, &i);
        if (o.pos == before && i.pos == ate) break;
    }
    bool ok = !ZSTD_isError(r) && o.pos == want;
    ZSTD_freeDStream(d);
    return ok;
}

bool qc_inflate(bool zstd, const uint8_t *in, size_t n, uint8_t *out, size_t want)
{
    return zstd ? unzstd(in, n, out, want) : inflate_raw(in, n, out, want);
}

int qc_read_compressed(struct qcow2 *q, uint64_t entry, uint64_t skip, const struct iovec *iov, int niov, size_t bytes)
{
    uint64_t off, len, gen = __atomic_load_n(&q->comp_gen, __ATOMIC_ACQUIRE);
    int r = 0;
    qc_comp_extent(q, entry, &off, &len);
    if (off >> 56 || len > 2 * q->cs + 512) return -EIO;
    pthread_mutex_lock(&q->comp_lock);
    if (!q->comp_buf || q->comp_entry != entry || q->comp_at != gen) {
        uint8_t *in = xalloc((size_t)len), *out = q->comp_buf ? q->comp_buf : xalloc((size_t)q->cs);
        q->comp_entry = 0;
        q->comp_buf = out;
        r = blk_node_pread(q->file, off, in, (size_t)len);
        if (!r && !qc_inflate(q->zstd, in, (size_t)len, out, (size_t)q->cs)) r = -EIO;
        free(in);
        if (!r) q->comp_entry = entry, q->comp_at = gen;
    }
    const uint8_t *p = q->comp_buf + skip;
    for (int i = 0; !r && i < niov && bytes; i++) {
        size_t n = MIN(iov[i].iov_len, bytes);
        memcpy(iov[i].iov_base, p, n);
        p += n;
        bytes -= n;
    }
    pthread_mutex_unlock(&q->comp_lock);
    return r;
}

int qc_compress(struct qcow2 *q, const uint8_t *in, uint8_t *out, size_t *len)
{
    size_t cs = (size_t)q->cs;
    *len = 0;
    if (q->zstd) {
        size_t n = ZSTD_compress(out, cs - 1, in, cs, ZSTD_CLEVEL_DEFAULT);
        if (!ZSTD_isError(n)) *len = n;
        return 0;
    }
    z_stream z = { .next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)cs, .next_out = out, .avail_out = (uInt)cs - 1 };
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) != Z_OK) return -ENOMEM;
    if (deflate(&z, Z_FINISH) == Z_STREAM_END) *len = cs - 1 - z.avail_out;
    deflateEnd(&z);
    return 0;
}

/* Bytes for it, behind the last one if they fit (or go on in the next cluster). With the lock. */
static int alloc_bytes(struct qcow2 *q, size_t len, uint64_t *at)
{
    uint64_t c, got, cur = q->comp_next >> q->cluster_bits, count, space = q->comp_next ? q->cs - (q->comp_next & (q->cs - 1)) : 0;
    int r = 0;
    if (q->comp_next) {
        r = qc_ref_get(q, cur, &count);
        if (r) return r;
        if (!count || count >= qc_ref_max(q)) q->comp_next = 0, space = 0;
    }
    if (len > space) {
        if ((r = qc_alloc(q, 1, &c, &got))) return r;
        /* qc_alloc may have flushed, and freed the cluster we were in */
        if (!q->comp_next || c != cur + 1) {
            q->comp_next = *at = c << q->cluster_bits;
        } else {
            if ((r = qc_ref_up(q, cur, 1))) {
                qc_ref_down(q, c, 1);
                return r;
            }
            *at = q->comp_next;
        }
    } else {
        if ((r = qc_ref_up(q, cur, 1))) return r;
        *at = q->comp_next;
    }
    q->comp_next = *at + len;
    if (!(q->comp_next & (q->cs - 1))) q->comp_next = 0;
    return 0;
}

int qc_write_compressed(struct qcow2 *q, uint64_t off, const uint8_t *comp, size_t len)
{
    uint64_t at, entry, old, bm, first;
    uint8_t *s;
    uint32_t index, count;
    unsigned x = 62 - (q->cluster_bits - 8);
    pthread_mutex_lock(&q->lock);
    int r = q->corrupt ? -EIO : qc_entry(q, off, true, &s, &index, &count);
    if (!r) r = alloc_bytes(q, len, &at);
    pthread_mutex_unlock(&q->lock);
    if (r) return r;
    first = at >> q->cluster_bits;
    entry = QC_COMPRESSED | at | ((((at + len - 1) >> 9) - (at >> 9)) << x);
    r = at >> x ? -EFBIG : blk_node_pwrite(q->file, at, comp, len);
    pthread_mutex_lock(&q->lock);
    if (!r) r = qc_entry(q, off, true, &s, &index, &count);
    if (!r) {
        qc_entry_get(q, s, index, &old, &bm);
        qc_free_entry(q, old);
        qc_entry_set(q, off, s, index, entry, 0);
        q->need_sync = true;
    } else {
        qc_ref_down(q, first, ((at + len - 1) >> q->cluster_bits) - first + 1);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}
