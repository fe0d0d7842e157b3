/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds the status of a node with one release: the statuses of ten thousand nodes share the memory of one API server.
 * It first cuts texts that stand elsewhere, too: those of Stalled and Reconciling (they point to Ready), then Ready's
 * (the update has it), and last the end of the update's own. */
#include <string.h>

#include "agent/report/status.h"
#include "api/conditions.h"
#include "base/encoding/utf8.h"

/* Room for the fields added at the write: sequence, observedTime, contact.lastTime, clock.offsetMilliseconds. */
enum { VOLATILE_BYTES = 160 };

/* `size` follows each cut, because measuring the whole status anew takes longer than all the cuts. */
struct fit {
    json_t *essence;
    size_t bound, size;
};

static size_t bound_of(const json_t *essence)
{
    const json_t *ready = hf_conditions_find(json_object_get(essence, "conditions"), "Ready");
    bool is_true = strcmp(hf_json_str_or(ready, "status", "True"), "True") == 0;

    return is_true ? HF_STATUS_ONE_BYTES : HF_STATUS_TROUBLE_BYTES;
}

/* Shortens the message of `item` until the status fits, but not below `least`. */
static void shorten(struct fit *fit, json_t *item, size_t least)
{
    json_t *message = json_object_get(item, "message");
    const char *text = json_string_value(message);
    size_t over = fit->size >= fit->bound ? fit->size - fit->bound + 4 : 0, n = text != NULL ? strlen(text) : 0;
    size_t keep = HF_MAX(n - HF_MIN(n, over), least), before;
    char cut[HF_READINESS_MESSAGE];

    if (over == 0 || n <= keep || keep >= sizeof(cut) - 4)
        return;
    memcpy(cut, text, keep);
    keep = hf_utf8_prefix(cut, keep);
    memcpy(cut + keep, "...", 4);
    before = hf_json_format_size(message);
    if (json_string_set(message, cut) == 0)
        fit->size -= before - hf_json_format_size(message);
}

static void shorten_condition(struct fit *fit, const char *type, size_t least)
{
    const json_t *condition = hf_conditions_find(json_object_get(fit->essence, "conditions"), type);

    if (condition != NULL)
        shorten(fit, hf_json_mutable(condition), least);
}

void hf_status_fit(json_t *essence)
{
    json_t *updates = json_object_get(essence, "updates");
    json_t *update = json_array_get(updates, 0);
    struct fit fit = {.essence = essence, .bound = bound_of(essence)};

    if (json_array_size(updates) != 1)
        return;
    fit.size = hf_json_format_size(essence) + VOLATILE_BYTES;
    if (fit.size < fit.bound)
        return;
    shorten_condition(&fit, "Stalled", 32);
    shorten_condition(&fit, "Reconciling", 32);
    shorten_condition(&fit, "Ready", 80);
    shorten(&fit, update, 100);
    shorten_condition(&fit, "Ready", 32);
    shorten(&fit, update, 50);
}
