/* Sorting suffixes, apart from the rest: programs that only apply then need no libdivsufsort. */
#include <divsufsort.h>
#include <errno.h>

#include "delta/match.h"

int delta_matcher_open(struct delta_matcher *m, const unsigned char *old, size_t old_n, const unsigned char *new_bytes,
                       size_t new_n, struct hf_err *err)
{
    *m = (struct delta_matcher){old, new_bytes, old_n, new_n, NULL};
    if (old_n == 0 || new_n == 0) {
        m->old_n = 0;
        return 0;
    }
    if (old_n > INT32_MAX - 1 || new_n > INT32_MAX - 1)
        return hf_err_set(err, EFBIG, "files of 2 GiB and more are not matched");
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
}
