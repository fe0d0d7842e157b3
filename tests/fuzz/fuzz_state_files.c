/* SPDX-License-Identifier: Apache-2.0 */
/* The small texts an agent reads from its disk and its kernel: hold, the processor's features, a kernel constraint, the
 * cgroup's path. The first byte picks which. */
#include <stdlib.h>
#include <string.h>

#include "agent/process/outside.h"
#include "node/clock.h"
#include "node/facts.h"
#include "node/labels.h"
#include "node/meets.h"
#include "sync/hold_age.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n);

static void hold(struct hf_view text)
{
    struct hf_hold parsed = {0};
    const struct hf_hold_kept kept = {0};
    const struct hf_hold_clocks clocks = {.build_unix_ns = HF_TIME_BUILD_UNIX_NS,
                                          .wall_unix_ns = HF_TIME_BUILD_UNIX_NS,
                                          .range = {.agreement = HF_TIME_AGREED,
                                                    .estimate_unix_ns = HF_TIME_BUILD_UNIX_NS,
                                                    .other_unix_ns = HF_TIME_BUILD_UNIX_NS}};
    struct hf_hold_age age = {0};
    uint64_t wait;

    if (hf_hold_parse(text, &parsed, NULL) < 0 && !parsed.present)
        abort(); /* a file that cannot be read holds */
    if (strlen(parsed.reason) >= sizeof(parsed.reason))
        abort();
    hf_hold_age_begin(&age, hf_hold_id(text, 0), &parsed, &kept, &clocks);
    hf_hold_age_count(&age, &parsed, &clocks);
    bool active = hf_hold_age_judge(&parsed, &age, &clocks, &wait);
    if (active && wait > HF_HOLD_MAX_NS && (wait != HF_NEVER || !parsed.unreadable))
        abort(); /* what can be read ends */
}

static void kernel(const char *text)
{
    bool matches;

    if (hf_meets_kernel("6.1.0-18-amd64", text, &matches) == 0 && strpbrk(text, "<>=") == NULL)
        abort();
    if (hf_meets_kernel(text, ">=5.10", &matches) < 0) /* whatever the kernel is called */
        abort();
    (void)hf_label_key_valid(text);
    (void)hf_label_value_valid(text);
}

static void unit(struct hf_view text)
{
    char name[64];

    if (hf_outside_own_unit(text, name, sizeof(name)) && strlen(name) <= strlen(".service"))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n)
{
    if (n < 1 || n > 4096)
        return 0;
    struct hf_view text = {(const char *)bytes + 1, n - 1};
    char *copy = hf_view_dup(text);

    if (copy == NULL)
        return 0;
    switch (bytes[0] % 3) {
    case 0:
        hold(text);
        break;
    case 1:
        kernel(copy);
        break;
    default:
        unit(text);
        break;
    }
    free(copy);
    return 0;
}
