/* One release's status stays below HF_STATUS_ONE_BYTES: ten thousand nodes' statuses lie in one API server's memory. What gives way
 * is text that stands elsewhere: first that of Stalled and Reconciling (Ready says the same), then Ready's (the update says it),
 * last the update's own end. */
#include <string.h>

#include "agent/status.h"
#include "base/parse.h"

/* What is added when it is written: sequence, contact.lastTime, clock.offsetMilliseconds. */
enum { VOLATILE_BYTES = 120 };

static size_t size_of(const json_t *essence)
{
    return json_dumpb(essence, NULL, 0, JSON_COMPACT) + VOLATILE_BYTES;
}

/* Cut item's message so that `over` bytes are gained, but leave `least`. */
static void shorten(json_t *item, size_t over, size_t least)
{
    json_t *message = json_object_get(item, "message");
    const char *text = json_string_value(message);
    size_t n = text != NULL ? strlen(text) : 0, keep = HF_MAX(n - HF_MIN(n, over), least);
    char cut[HF_VERDICT_MESSAGE];

    if (n <= keep || keep >= sizeof(cut) - 4)
        return;
    memcpy(cut, text, keep);
    keep = hf_utf8_prefix(cut, keep);
    memcpy(cut + keep, "...", 4);
    (void)json_string_set(message, cut);
}

static void shorten_condition(json_t *essence, const char *type, size_t least)
{
    json_t *conditions = json_object_get(essence, "conditions");
    size_t size = size_of(essence);

    for (size_t i = 0; size >= HF_STATUS_ONE_BYTES && i < json_array_size(conditions); i++) {
        json_t *condition = json_array_get(conditions, i);
        if (strcmp(hf_json_str_or(condition, "type", ""), type) == 0)
            shorten(condition, size - HF_STATUS_ONE_BYTES + 4, least);
    }
}

static void shorten_update(json_t *essence, json_t *update, size_t least)
{
    size_t size = size_of(essence);

    if (size >= HF_STATUS_ONE_BYTES)
        shorten(update, size - HF_STATUS_ONE_BYTES + 4, least);
}

void hf_status_fit(json_t *essence)
{
    json_t *updates = json_object_get(essence, "updates");
    json_t *update = json_array_get(updates, 0);

    if (json_array_size(updates) != 1)
        return;
    shorten_condition(essence, "Stalled", 32);
    shorten_condition(essence, "Reconciling", 32);
    shorten_condition(essence, "Ready", 80);
    shorten_update(essence, update, 100);
    shorten_condition(essence, "Ready", 32);
    shorten_update(essence, update, 50);
}
