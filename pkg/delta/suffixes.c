/* Matching by sorted suffixes. */
#include <errno.h>

#include "delta/create.h"
#include "delta/sort.h"

enum { PAIRS = 1 << 16 };

/* Not for a small file: sorting one takes less than this. */
static int note_starts(struct delta_matcher *m)
{
    uint32_t next = 0;

    if (m->old_n < PAIRS)
        return 0;
    m->starts = calloc(PAIRS + 1, sizeof(*m->starts));
    if (m->starts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i + 1 < m->old_n; i++)
        m->starts[(unsigned)m->old[i] << 8 | m->old[i + 1]]++;
    for (unsigned pair = 0; pair <= PAIRS; pair++) {
        uint32_t n = m->starts[pair];
        next += pair == (unsigned)m->old[m->old_n - 1]
                            << 8; /* the last byte stands alone, before all that begin with it */
        m->starts[pair] = next;
        next += n;
    }
    return 0;
}

int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                       size_t new_n, struct hf_err *err)
{
    delta_matcher_start(m, old, old_n, new_bytes, new_n);
    if (m->old_n == 0)
        return 0;
    m->suffixes = malloc(old_n * sizeof(*m->suffixes));
    if (m->suffixes == NULL || delta_sort_suffixes(old, old_n, m->suffixes) < 0 || note_starts(m) < 0) {
        delta_matcher_done(m);
        return hf_err_set(err, ENOMEM, "out of memory for the suffix array");
    }
    return 0;
}

int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                    const struct hf_delta_create_params *params, const struct hf_delta_out *patch, struct hf_err *err)
{
    bool fast = params != NULL && params->profile == HF_DELTA_FAST;

    return delta_create_by(fast ? delta_matcher_open_fast : delta_matcher_open, old, old_n, new_bytes, new_n, params,
                           patch, err);
}
