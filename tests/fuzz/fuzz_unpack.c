/* Compressed artifacts from anybody: the first byte says how large the pieces are they come in. */
#include <errno.h>

#include "codec/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MOST = 1 << 20 };

static int count(void *ctx, const void *bytes, size_t n)
{
    size_t *total = ctx;

    (void)bytes;
    *total += n;
    return *total > MOST ? -EFBIG : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    size_t total = 0, piece = n > 0 ? (size_t)bytes[0] + 1 : 1;
    struct hf_unpack *unpack = hf_unpack_new(count, &total, 1 << 20);
    int r = 0;

    for (size_t at = 1; unpack != NULL && r == 0 && at < n; at += piece)
        r = hf_unpack_feed(unpack, bytes + at, n - at < piece ? n - at : piece, NULL);
    if (unpack != NULL && r == 0)
        r = hf_unpack_finish(unpack, NULL);
    hf_unpack_free(unpack);
    return 0;
}
