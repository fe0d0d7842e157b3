/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/release_spread.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "cli/release/release_target.h"

static json_t *annotations_of(const json_t *update)
{
    return json_object_get(json_object_get(update, "metadata"), "annotations");
}

static bool is_meant_for_all(const json_t *update)
{
    const char *value = json_string_value(json_object_get(annotations_of(update), HF_EVERYWHERE_ANNOTATION));

    return value != NULL && strcmp(value, "true") == 0;
}

int hf_release_mean_all(json_t *update, struct hf_err *err)
{
    json_t *annotations = annotations_of(update);

    if (annotations == NULL) {
        int r = hf_cli_put(update, "metadata.annotations", json_object(), err);
        if (r < 0)
            return r;
        annotations = annotations_of(update);
    }
    return json_object_set_new(annotations, HF_EVERYWHERE_ANNOTATION, json_string("true")) < 0
               ? hf_err_set(err, ENOMEM, "out of memory")
               : 0;
}

static bool selects_one_host(const json_t *update)
{
    const json_t *labels = hf_json_at(update, "spec.nodeSelector.matchLabels");

    return json_object_get(labels, "kubernetes.io/hostname") != NULL;
}

/* Gives a mistake time to show: first the canaries, then a few nodes of each hundred. */
static json_t *default_strategy(void)
{
    return json_pack("{s:{s:{s:{s:s}}, s:s}, s:[{s:i, s:s}, {s:i, s:s}, {s:i}], s:s}", "canary", "nodeSelector",
                     "matchLabels", HF_LABEL_PREFIX "canary", "true", "soak", "30m", "waves", "percent", 5, "soak",
                     "30m", "percent", 25, "soak", "30m", "percent", 100, "maxFailures", "2%");
}

int hf_release_put_spread(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    if (hf_json_at(update, "spec.strategy") != NULL || is_meant_for_all(update))
        return 0;
    if (hf_cli_flag(args, "everywhere"))
        return hf_release_mean_all(update, err);
    return selects_one_host(update) ? 0 : hf_cli_put(update, "spec.strategy", default_strategy(), err);
}

const char *hf_release_unstaged(const json_t *update, char text[HF_RELEASE_UNSTAGED_TEXT])
{
    int64_t selected = hf_json_int_or(update, "status.nodes.selected", 0);
    bool everywhere = hf_release_selects_all(update);
    char which[40] = "every node";

    if (hf_json_at(update, "spec.strategy") != NULL || json_is_true(hf_json_at(update, "spec.suspend")) ||
        is_meant_for_all(update) || (!everywhere && selected <= HF_RELEASE_MAX_UNSTAGED))
        return NULL;
    if (!everywhere)
        (void)snprintf(which, sizeof(which), "%" PRIi64 " nodes", selected);
    (void)snprintf(text, HF_RELEASE_UNSTAGED_TEXT,
                   "would start on %s at once: add a strategy, or, if that is meant, below metadata.annotations the "
                   "line " HF_EVERYWHERE_ANNOTATION ": \"true\"",
                   which);
    return text;
}
