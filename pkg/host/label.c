/* SPDX-License-Identifier: Apache-2.0 */
#include "host/label.h"

#include <stdio.h>

/* "s0" of "s0", "s0-s15" and "s0:c1,c2": the lowest sensitivity, without categories. */
static struct hf_view sensitivity(struct hf_view level)
{
    size_t n = 0;

    while (n < level.n && level.p[n] != '-' && level.p[n] != ':')
        n++;
    return (struct hf_view){level.p, n};
}

bool hf_hostlife_label_type(struct hf_view label, char type[HF_HOSTLIFE_LABEL])
{
    struct hf_view user, role, seen = {"", 0};
    bool named =
        hf_view_split(&label, ':', &user) && hf_view_split(&label, ':', &role) && hf_view_split(&label, ':', &seen);

    (void)snprintf(type, HF_HOSTLIFE_LABEL, "%.*s", (int)HF_MIN(seen.n, (size_t)HF_HOSTLIFE_LABEL - 1), seen.p);
    return named && seen.n > 0;
}

bool hf_hostlife_label(struct hf_view current, const char *type, char label[HF_HOSTLIFE_LABEL])
{
    struct hf_view rest = current, user, role, has_type;

    if (current.n == 0)
        return false;
    bool whole =
        hf_view_split(&rest, ':', &user) && hf_view_split(&rest, ':', &role) && hf_view_split(&rest, ':', &has_type);
    struct hf_view low = whole && rest.p != NULL ? sensitivity(rest) : (struct hf_view){NULL, 0};
    if (whole && hf_view_eq(has_type, type) && low.n == (rest.p != NULL ? rest.n : 0))
        return false;
    (void)snprintf(label, HF_HOSTLIFE_LABEL, "system_u:object_r:%s%s%.*s", type, low.n > 0 ? ":" : "",
                   (int)HF_MIN(low.n, (size_t)32), low.n > 0 ? low.p : "");
    return true;
}
