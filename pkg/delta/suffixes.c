/* Sorting suffixes, apart from the rest: programs that only apply then need no libdivsufsort. */
#include <divsufsort.h>
#include <errno.h>

#include "delta/match.h"

static void start(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                  size_t new_n)
{
    *m = (struct delta_matcher){.old = old, .new_bytes = new_bytes, .old_n = new_n > 0 ? old_n : 0, .new_n = new_n};
}

int delta_matcher_open_fast(struct delta_matcher *m, const unsigned char *old, size_t old_n,
                            const unsigned char *new_bytes, size_t new_n, struct hf_err *err)
{
    start(m, old, old_n, new_bytes, new_n);
    if (m->old_n > 0 && delta_places_open(&m->places, old, old_n) < 0)
        return hf_err_set(err, ENOMEM, "out of memory for the places of the old file");
    return 0;
}

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
    start(m, old, old_n, new_bytes, new_n);
    if (m->old_n == 0)
        return 0;
    m->suffixes = malloc(old_n * sizeof(*m->suffixes));
    if (m->suffixes == NULL || divsufsort(old, m->suffixes, (saidx_t)old_n) != 0 || note_starts(m) < 0) {
        delta_matcher_done(m);
        return hf_err_set(err, ENOMEM, "out of memory for the suffix array");
    }
    return 0;
}

void delta_matcher_done(struct delta_matcher *m)
{
    free(m->suffixes);
    free(m->starts);
    m->suffixes = NULL;
    m->starts = NULL;
    delta_places_done(&m->places);
}
