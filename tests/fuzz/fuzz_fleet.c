/* SPDX-License-Identifier: Apache-2.0 */
/* What the controller takes from an API server: each line is a Node, an EdgeNode or an EdgeUpdate, as YAML or JSON. Bad
 * objects are refused alone, no effect goes to an object that the engine did not take, and every body is an object that
 * names it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"
#include "rollout/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MAX_OBJECTS = 24, MINUTES = 12 };

static struct hf_rollout_now now;

static void expect_refusal(int r)
{
    if (r != 0 && r != -EBADMSG)
        abort();
}

static void take(struct hf_rollout_engine *engine, json_t *object)
{
    const char *kind = hf_json_str_or(object, "kind", "");

    if (strcmp(kind, "Node") == 0)
        expect_refusal(hf_rollout_engine_take_node(engine, object, &now));
    else if (strcmp(kind, "EdgeUpdate") == 0)
        expect_refusal(hf_rollout_engine_take_update(engine, object, &now));
    else
        expect_refusal(hf_rollout_engine_take_edgenode(engine, object, &now));
}

static void perform(struct hf_rollout_engine *engine, const struct hf_rollout_effect *effect, unsigned turn)
{
    static const int results[] = {0, -ESTALE, -ENOENT, -EBADMSG, -EIO};

    if (effect->name == NULL || effect->name[0] == '\0')
        abort();
    if (effect->kind == HF_ROLLOUT_EVENT) {
        if (effect->reason == NULL || effect->note == NULL || strlen(effect->note) > 1000)
            abort();
        return;
    }
    if (effect->body != NULL) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
        if (strcmp(hf_json_str_or(effect->body, "metadata.name", ""), effect->name) != 0 ||
            hf_json_format(effect->body, &text) < 0)
            abort();
    }
    hf_rollout_engine_result(engine, effect->id, results[turn % HF_LEN(results)], NULL, &now);
}

static void live(struct hf_rollout_engine *engine)
{
    for (unsigned minute = 0; minute < MINUTES; minute++) {
        struct hf_rollout_plan plan;
        if (hf_rollout_engine_plan(engine, &now, &plan) < 0 || plan.n > 256)
            abort();
        for (size_t i = 0; i < plan.n; i++)
            perform(engine, &plan.effects[i], minute + (unsigned)i);
        now.mono_ns += 60 * HF_NS_PER_S;
        now.unix_ns += 60 * HF_NS_PER_S;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_rollout_engine_freep) struct hf_rollout_engine *engine = NULL;
    const char *at = (const char *)bytes, *end = at + n;

    now = (struct hf_rollout_now){.mono_ns = 3600 * HF_NS_PER_S, .unix_ns = 1800000000 * HF_NS_PER_S};
    if (hf_rollout_engine_new(&(struct hf_rollout_params){.turns_per_s = 0}, &engine) < 0)
        abort();
    hf_rollout_engine_lead(engine, 1, &now);
    for (int kind = 0; kind < HF_ROLLOUT_KINDS; kind++) {
        hf_rollout_engine_list_begin(engine, (enum hf_rollout_kind)kind);
        hf_rollout_engine_list_end(engine, (enum hf_rollout_kind)kind, &now);
    }
    for (int i = 0; i < MAX_OBJECTS && at < end; i++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        _cleanup_(hf_json_freep) json_t *object = NULL;
        if (hf_yaml_parse((struct hf_view){at, (size_t)(stop - at)}, NULL, &object, NULL) == 0)
            take(engine, object);
        at = stop + 1;
    }
    live(engine);
    return 0;
}
