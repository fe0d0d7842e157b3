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

int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                       size_t new_n, struct hf_err *err)
{
    start(m, old, old_n, new_bytes, new_n);
    if (m->old_n == 0)
        return 0;
    m->suffixes = malloc(old_n * sizeof(*m->suffixes));
    if (m->suffixes == NULL || divsufsort(old, m->suffixes, (saidx_t)old_n) != 0) {
        delta_matcher_done(m);
        return hf_err_set(err, ENOMEM, "out of memory for the suffix array");
    }
    return 0;
}

void delta_matcher_done(struct delta_matcher *m)
{
    free(m->suffixes);
    m->suffixes = NULL;
    delta_places_done(&m->places);
}
