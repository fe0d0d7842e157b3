/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/nearest.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    return HF_MIN(HF_MIN(a, b), c);
}

/* Returns the number of edits (insert, delete, replace, swap of neighbours) from a to b: the optimal string
 * alignment distance. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][HF_NEAREST_MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > HF_NEAREST_MAX || m > HF_NEAREST_MAX)
        return UINT32_MAX;
    for (unsigned j = 0; j <= m; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *now = rows[i % 3], *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = min3(before[j] + 1, now[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = HF_MIN(now[j], earlier[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void hf_nearest_try(struct hf_nearest *nearest, const char *candidate)
{
    unsigned d = distance(nearest->typed, candidate), limit = (unsigned)(strlen(nearest->typed) + 2) / 3;

    if (d <= limit && (nearest->best == NULL || d < nearest->distance)) {
        nearest->best = candidate;
        nearest->distance = d;
    }
}
