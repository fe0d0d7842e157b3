/* SPDX-License-Identifier: Apache-2.0 */
/* Bucket i at scale s holds values above 2^(i / 2^s) and up to 2^((i + 1) / 2^s). A histogram starts at the finest
 * scale. If the values need more than HF_HISTOGRAM_BUCKETS buckets, adjacent buckets are merged, which lowers the
 * scale. */
#include "telemetry/pipeline/histogram.h"

#include <math.h>

#include "telemetry/event/number.h"

void hf_histogram_clear(struct hf_histogram *histogram)
{
    histogram->scale = HF_HISTOGRAM_MAX_SCALE;
    histogram->count = histogram->zeros = 0;
    histogram->sum = histogram->min = histogram->max = 0;
    histogram->positive.n = histogram->negative.n = 0;
}

/* Returns the bucket of a positive number, ceil(log2(value) * 2^scale) - 1; exact at powers of two, where a rounding
 * error would pick the wrong bucket. */
static int32_t index_of(double value, int scale)
{
    int exponent;
    double part = frexp(value, &exponent); /* value = part * 2^exponent, 0.5 <= part < 1 */

    if (scale <= 0)
        return (exponent - (part == 0.5 ? 2 : 1)) >> -scale;
    if (part == 0.5)
        return (int32_t)((uint32_t)(exponent - 1) << scale) - 1;
    int32_t floor_index = (int32_t)((uint32_t)(exponent - 1) << scale);
    int32_t most = (int32_t)(1u << scale) - 1, inside = (int32_t)ceil(log2(2 * part) * (double)(1u << scale)) - 1;

    return floor_index + HF_MAX(HF_MIN(inside, most), 0);
}

/* Merges groups of 2^by neighbours. */
static void coarsen_range(struct hf_histogram_range *range, unsigned by)
{
    uint32_t old[HF_HISTOGRAM_BUCKETS];
    int32_t first = range->first >> by, last = (range->first + (int32_t)range->n - 1) >> by;

    if (range->n == 0)
        return;
    memcpy(old, range->counts, range->n * sizeof(old[0]));
    memset(range->counts, 0, (size_t)(last - first + 1) * sizeof(range->counts[0]));
    for (uint32_t i = 0; i < range->n; i++)
        range->counts[((range->first + (int32_t)i) >> by) - first] += old[i];
    range->first = first;
    range->n = (uint32_t)(last - first + 1);
}

static void coarsen(struct hf_histogram *histogram, unsigned by)
{
    coarsen_range(&histogram->positive, by);
    coarsen_range(&histogram->negative, by);
    histogram->scale -= (int)by;
}

/* Number of times that neighbours must be merged so that `index` fits into the range. */
static unsigned steps_for(const struct hf_histogram_range *range, int32_t index)
{
    int32_t low = index, high = index;
    unsigned steps = 0;

    if (range->n > 0) {
        low = HF_MIN(low, range->first);
        high = HF_MAX(high, range->first + (int32_t)range->n - 1);
    }
    for (; high - low >= HF_HISTOGRAM_BUCKETS; steps++) {
        low >>= 1;
        high >>= 1;
    }
    return steps;
}

static void widen(struct hf_histogram_range *range, int32_t index)
{
    if (range->n == 0) {
        range->first = index;
        range->counts[0] = 0;
        range->n = 1;
    }
    if (index < range->first) {
        uint32_t more = (uint32_t)(range->first - index);
        memmove(range->counts + more, range->counts, range->n * sizeof(range->counts[0]));
        memset(range->counts, 0, more * sizeof(range->counts[0]));
        range->first = index;
        range->n += more;
    }
    while (index >= range->first + (int32_t)range->n)
        range->counts[range->n++] = 0;
}

void hf_histogram_add(struct hf_histogram *histogram, double value)
{
    histogram->min = histogram->count == 0 ? value : HF_MIN(histogram->min, value);
    histogram->max = histogram->count == 0 ? value : HF_MAX(histogram->max, value);
    histogram->sum += value;
    histogram->count++;
    if (value == 0) {
        histogram->zeros++;
        return;
    }
    struct hf_histogram_range *range = value > 0 ? &histogram->positive : &histogram->negative;
    int32_t index = index_of(fabs(value), histogram->scale);
    unsigned steps = steps_for(range, index);
    if (steps > 0) {
        coarsen(histogram, steps);
        index = index_of(fabs(value), histogram->scale);
    }
    widen(range, index);
    if (range->counts[index - range->first] < UINT32_MAX)
        range->counts[index - range->first]++;
}

static int add_range(struct hf_buf *out, const char *name, const struct hf_histogram_range *range)
{
    char text[HF_NUMBER_TEXT];
    int r = 0;

    if (range->n == 0)
        return 0;
    r = hf_buf_add_str(out, name);
    if (r == 0)
        r = hf_number_add(out, "{\"offset\":", range->first);
    if (r == 0)
        r = hf_buf_add_str(out, ",\"counts\":[");
    for (uint32_t i = 0; r == 0 && i < range->n; i++) {
        if (i > 0)
            r = hf_buf_add_str(out, ",");
        if (r == 0)
            r = hf_buf_add(out, text, hf_number_u64(range->counts[i], text));
    }
    return r == 0 ? hf_buf_add_str(out, "]}") : r;
}

int hf_histogram_format(const struct hf_histogram *histogram, struct hf_buf *out)
{
    size_t before = out->n;
    int r = hf_number_add(out, "{\"count\":", (double)histogram->count);

    if (r == 0)
        r = hf_number_add(out, ",\"sum\":", histogram->sum);
    if (r == 0 && histogram->count > 0)
        r = hf_number_add(out, ",\"min\":", histogram->min);
    if (r == 0 && histogram->count > 0)
        r = hf_number_add(out, ",\"max\":", histogram->max);
    if (r == 0)
        r = hf_number_add(out, ",\"scale\":", histogram->scale);
    if (r == 0)
        r = hf_number_add(out, ",\"zeroCount\":", (double)histogram->zeros);
    if (r == 0)
        r = add_range(out, ",\"positive\":", &histogram->positive);
    if (r == 0)
        r = add_range(out, ",\"negative\":", &histogram->negative);
    if (r == 0)
        r = hf_buf_add_str(out, "}");
    if (r < 0)
        out->n = before;
    return r;
}
