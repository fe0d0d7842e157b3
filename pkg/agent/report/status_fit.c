/* Bounds the status of a node with one release: the statuses of ten thousand nodes share the memory of one API server.
 * It first cuts texts that stand elsewhere, too: those of Stalled and Reconciling (they point to Ready), then Ready's
 * (the update has it), and last the end of the update's own. */
#include <string.h>

#include "agent/report/status.h"
#include "base/encoding/utf8.h"
#include "base/parse.h"

/* Room for the fields added at the write: sequence, observedTime, contact.lastTime, clock.offsetMilliseconds. */
enum { VOLATILE_BYTES = 160 };

struct fit {
    json_t *essence;
    size_t bound;
};

static size_t bound_of(const json_t *essence)
{
    const json_t *conditions = json_object_get(essence, "conditions");

    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        if (strcmp(hf_json_str_or(condition, "type", ""), "Ready") == 0 &&
            strcmp(hf_json_str_or(condition, "status", ""), "True") != 0)
            return HF_STATUS_TROUBLE_BYTES;
    }
    return HF_STATUS_ONE_BYTES;
}

static size_t size_of(const json_t *essence)
{
    return json_dumpb(essence, NULL, 0, JSON_COMPACT) + VOLATILE_BYTES;
}

/* Shortens the message of `item` by `over` bytes, but not below `least`. */
static void shorten(json_t *item, size_t over, size_t least)
{
    json_t *message = json_object_get(item, "message");
    const char *text = json_string_value(message);
    size_t n = text != NULL ? strlen(text) : 0, keep = HF_MAX(n - HF_MIN(n, over), least);
    char cut[HF_READINESS_MESSAGE];

    if (n <= keep || keep >= sizeof(cut) - 4)
        return;
    memcpy(cut, text, keep);
    keep = hf_utf8_prefix(cut, keep);
    memcpy(cut + keep, "...", 4);
    (void)json_string_set(message, cut);
}

static void shorten_condition(const struct fit *fit, const char *type, size_t least)
{
    json_t *conditions = json_object_get(fit->essence, "conditions");
    size_t size = size_of(fit->essence);

    for (size_t i = 0; size >= fit->bound && i < json_array_size(conditions); i++) {
        json_t *condition = json_array_get(conditions, i);
        if (strcmp(hf_json_str_or(condition, "type", ""), type) == 0)
            shorten(condition, size - fit->bound + 4, least);
    }
}

static void shorten_update(const struct fit *fit, json_t *update, size_t least)
{
    size_t size = size_of(fit->essence);

    if (size >= fit->bound)
        shorten(update, size - fit->bound + 4, least);
}

void hf_status_fit(json_t *essence)
{
    json_t *updates = json_object_get(essence, "updates");
    json_t *update = json_array_get(updates, 0);
    const struct fit fit = {essence, bound_of(essence)};

    if (json_array_size(updates) != 1 || size_of(essence) < fit.bound)
        return;
    shorten_condition(&fit, "Stalled", 32);
    shorten_condition(&fit, "Reconciling", 32);
    shorten_condition(&fit, "Ready", 80);
    shorten_update(&fit, update, 100);
    shorten_condition(&fit, "Ready", 32);
    shorten_update(&fit, update, 50);
}
