/* SPDX-License-Identifier: Apache-2.0 */
/* A packed artifact, fed in two ways: the same bytes or errors come out, never more than the sink takes. */
#include <errno.h>

#include "base/buf.h"
#include "codec/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MOST = 1 << 20 };

static int take(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

static int unpack(const uint8_t *bytes, size_t n, size_t piece, struct hf_buf *out)
{
    _cleanup_(hf_unpack_freep) struct hf_unpack *u = hf_unpack_new(take, out, 4 << 20);
    struct hf_err err = HF_ERR_INIT;
    int r = 0;

    for (size_t at = 0; r == 0 && at < n; at += piece)
        r = hf_unpack_feed(u, bytes + at, HF_MIN(piece, n - at), &err);
    return r < 0 ? r : hf_unpack_finish(u, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf whole = HF_BUF_INIT(MOST), pieces = HF_BUF_INIT(MOST);
    int a = unpack(bytes, n, n > 0 ? n : 1, &whole), b = unpack(bytes, n, 3, &pieces);

    if ((a == 0) != (b == 0))
        abort();
    if (a == 0 && (whole.n != pieces.n || (whole.n > 0 && memcmp(whole.p, pieces.p, whole.n) != 0)))
        abort();
    return 0;
}
