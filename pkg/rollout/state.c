/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/field/text.h"
#include "base/encoding/utf8.h"
#include "base/format.h"
#include "base/parse.h"
#include "rollout/rollout.h"

/* `soaked` and `waited` have whole milliseconds at most, and are rounded down: never longer than they were. */
json_t *hf_rollout_state_encode(const struct hf_rollout_state *state, enum hf_rollout_phase phase)
{
    char soaked[HF_DURATION_TEXT], waited[HF_DURATION_TEXT], start[HF_TIME_TEXT];
    const char *reason = phase == HF_ROLLOUT_HALTED && !state->halted ? "HaltedByOperator" : state->reason;
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:i, s:s, s:I, s:s}", "digest", state->digest, "phase",
                  hf_rollout_phase_name(phase), "wave", (int)state->wave, "cutoff", (int)state->cutoff, "slots",
                  (int)state->slots, "slotsBefore", (int)state->slots_before, "soaked",
                  hf_format_duration(state->soaked_ns, soaked), "waited", hf_format_duration(state->waited_ns, waited),
                  "forgiven", (int)state->forgiven, "resumed", state->resumed, "epoch", (json_int_t)state->epoch,
                  "startTime", hf_format_time(state->start_unix_ns, start));
    int settled = state->settled ? (int)state->wave : (int)state->wave - 1;
    int r = json == NULL ? -1 : 0;

    if (r == 0 && settled >= 0)
        r = json_object_set_new(json, "settledWave", json_integer(settled));
    if (r == 0 && reason[0] != '\0')
        r = json_object_set_new(json, "reason", json_string(reason));
    if (r == 0)
        return json;
    json_decref(json);
    return NULL;
}

static unsigned bounded(const json_t *json, const char *key, int64_t max, int64_t fallback)
{
    int64_t value = hf_json_int_or(json, key, fallback);

    return (unsigned)(value < 0 || value > max ? fallback : value);
}

void hf_rollout_state_decode(const json_t *json, struct hf_rollout_state *ret_state)
{
    const char *digest = hf_json_str_or(json, "digest", ""), *reason = hf_json_str_or(json, "reason", "");
    struct hf_rollout_state *state = ret_state;
    int64_t epoch = hf_json_int_or(json, "epoch", 0);

    *state = (struct hf_rollout_state){0};
    if (!hf_text_is_sha256(digest))
        return;
    (void)snprintf(state->digest, sizeof(state->digest), "%s", digest);
    state->wave = bounded(json, "wave", HF_MAX_WAVES, 0);
    state->cutoff = bounded(json, "cutoff", HF_ROLLOUT_ALL_SLOTS, 0);
    state->slots = bounded(json, "slots", HF_ROLLOUT_ALL_SLOTS, state->cutoff);
    state->slots_before = bounded(json, "slotsBefore", state->slots, 0);
    state->settled = hf_json_int_or(json, "settledWave", -1) == (int64_t)state->wave;
    state->forgiven = bounded(json, "forgiven", 100000000, 0);
    state->epoch = epoch > 0 ? (uint64_t)epoch : 0;
    (void)snprintf(state->resumed, sizeof(state->resumed), "%s", hf_json_str_or(json, "resumed", ""));
    hf_utf8_trim(state->resumed);
    if (strcmp(hf_json_str_or(json, "phase", ""), hf_rollout_phase_name(HF_ROLLOUT_HALTED)) == 0 &&
        strcmp(reason, "HaltedByOperator") != 0) {
        state->halted = true;
        (void)snprintf(state->reason, sizeof(state->reason), "%s", reason[0] != '\0' ? reason : "TooManyFailures");
        hf_utf8_trim(state->reason);
    }
    if (hf_parse_duration(hf_json_str_or(json, "soaked", "0"), &state->soaked_ns) < 0)
        state->soaked_ns = 0;
    if (hf_parse_duration(hf_json_str_or(json, "waited", "0"), &state->waited_ns) < 0)
        state->waited_ns = 0;
    if (hf_parse_time(hf_json_str_or(json, "startTime", ""), &state->start_unix_ns) < 0)
        state->start_unix_ns = 0;
}

bool hf_rollout_same_state(const struct hf_rollout_state *a, const struct hf_rollout_state *b)
{
    return strcmp(a->digest, b->digest) == 0 && a->wave == b->wave && a->cutoff == b->cutoff && a->slots == b->slots &&
           a->slots_before == b->slots_before && a->settled == b->settled && a->halted == b->halted &&
           strcmp(a->reason, b->reason) == 0 && a->forgiven == b->forgiven && strcmp(a->resumed, b->resumed) == 0 &&
           a->epoch == b->epoch;
}
