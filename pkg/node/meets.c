/* SPDX-License-Identifier: Apache-2.0 */
#include "node/meets.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/field/text.h"

enum { MAX_KERNEL_PARTS = 4, MAX_MISSING_BYTES = 240 };

static size_t dotted(const char *text, unsigned long parts[MAX_KERNEL_PARTS])
{
    size_t n = 0;

    while (n < MAX_KERNEL_PARTS && *text >= '0' && *text <= '9') {
        char *end;
        parts[n++] = strtoul(text, &end, 10);
        if (*end != '.')
            return n;
        text = end + 1;
    }
    return n;
}

int hf_meets_kernel(const char *release, const char *constraint, bool *ret_matches)
{
    static const char *const operators[] = {">=", "<=", ">", "<", "="};
    unsigned long want[MAX_KERNEL_PARTS] = {0}, have[MAX_KERNEL_PARTS] = {0};
    size_t which = 0;
    int order = 0;

    if (!hf_text_is_kernel_range(constraint)) /* the rule of the decoder: a node takes what a release may ask for */
        return -EINVAL;
    while (strncmp(constraint, operators[which], strlen(operators[which])) != 0)
        which++;
    size_t n = dotted(constraint + strlen(operators[which]), want);
    (void)dotted(release, have);
    for (size_t i = 0; i < n && order == 0; i++)
        order = have[i] < want[i] ? -1 : have[i] > want[i] ? 1 : 0;
    const bool answers[] = {order >= 0, order <= 0, order > 0, order < 0, order == 0};
    *ret_matches = answers[which];
    return 0;
}

struct list {
    char text[MAX_MISSING_BYTES];
    size_t n;
};

/* Appends one missing thing. The message keeps the first ones and drops those that do not fit. It names all of them
 * at once, so that an operator who fixes one does not find the next a day later. */
static void missing(struct list *list, const char *format, ...) HF_PRINTF(2, 3);
static void missing(struct list *list, const char *format, ...)
{
    char one[128];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(one, sizeof(one), format, args);
    va_end(args);
    int n = snprintf(list->text + list->n, sizeof(list->text) - list->n, "%s%s", list->n > 0 ? ", " : "", one);
    list->n = HF_MIN(list->n + (size_t)n, sizeof(list->text) - 1);
}

static void check_sizes(const struct hf_facts *facts, const struct hf_meets_now *now, const struct hf_requires *want,
                        struct list *list)
{
    if (facts->memory_bytes < want->memory_bytes)
        missing(list, "memory %llu MiB of %llu MiB", (unsigned long long)facts->memory_bytes >> 20,
                (unsigned long long)want->memory_bytes >> 20);
    if (now->disk_free_bytes < want->disk_bytes)
        missing(list, "free disk %llu MiB of %llu MiB", (unsigned long long)now->disk_free_bytes >> 20,
                (unsigned long long)want->disk_bytes >> 20);
}

int hf_meets_requires(const struct hf_facts *facts, const struct hf_meets_now *now, const struct hf_requires *requires_,
                      struct hf_err *err)
{
    struct list list = {.n = 0};
    bool fits = false;

    for (size_t i = 0; i < HF_LEN(requires_->cpu_features) && requires_->cpu_features[i] != NULL; i++)
        if (!hf_facts_has_cpu(facts, requires_->cpu_features[i]))
            missing(&list, "cpu feature %s", requires_->cpu_features[i]);
    check_sizes(facts, now, requires_, &list);
    for (size_t i = 0; i < HF_LEN(requires_->devices) && requires_->devices[i] != NULL; i++)
        if (!now->has_device(now->arg, requires_->devices[i]))
            missing(&list, "device %s", requires_->devices[i]);
    if (requires_->kernel != NULL && (hf_meets_kernel(facts->kernel, requires_->kernel, &fits) < 0 || !fits))
        missing(&list, "kernel %s, here %s", requires_->kernel, facts->kernel);
    if (list.n > 0)
        return hf_err_set(err, EOPNOTSUPP, "missing: %s", list.text);
    return 0;
}
