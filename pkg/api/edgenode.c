/* SPDX-License-Identifier: Apache-2.0 */
#include "api/edgenode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/field.h"
#include "api/field/text.h"
#include "api/schema.h"
#include "base/clock.h"
#include "base/parse.h"

enum { HF_MAX_TURNS = 8 };

#define DEFAULT_INTERVAL_NS (300 * HF_NS_PER_S) /* as in SyncPolicy */
#define LEAST_GRACE_NS (10 * HF_NS_PER_S)
#define EPOCH_MAX ((1ull << 53) - 1) /* the largest integer that every JSON library keeps */

static const struct hf_field turn_fields[] = {
    HF_FIELD_TEXT(struct hf_edgenode_turn, release, "release", 1, 63, hf_text_is_name,
                  "a name of at most 63 lower case letters, digits and '-'", HF_REQUIRED),
    HF_FIELD_TEXT(struct hf_edgenode_turn, digest, "digest", 1, 64, hf_text_is_sha256,
                  "a SHA-256: 64 lower-case hex digits", HF_REQUIRED),
    {0}};

static const struct hf_field spec_fields[] = {
    HF_FIELD_INTEGER(struct hf_edgenode, epoch, "epoch", "0", 0, EPOCH_MAX),
    HF_FIELD_LIST(struct hf_edgenode, turns, n_turns, "turns", turn_fields, HF_MAX_TURNS),
    {0}};

const struct hf_field hf_edgenode_fields[] = {HF_FIELD_PART("spec", spec_fields), {0}};

int hf_edgenode_decode(json_t *json, struct hf_edgenode **ret_edgenode, struct hf_issues *issues)
{
    _cleanup_(hf_edgenode_freep) struct hf_edgenode *edgenode = calloc(1, sizeof(*edgenode));

    if (edgenode == NULL)
        return -ENOMEM;
    edgenode->json = json_incref(json);
    int r = hf_meta_decode_object(json, "EdgeNode", hf_edgenode_fields, &edgenode->meta, edgenode, issues);
    if (r < 0)
        return r;
    *ret_edgenode = hf_steal(edgenode);
    return 0;
}

void hf_edgenode_free(struct hf_edgenode *edgenode)
{
    if (edgenode == NULL)
        return;
    free(edgenode->turns);
    json_decref(edgenode->json);
    free(edgenode);
}

bool hf_edgenode_has_turn(const struct hf_edgenode *edgenode, const char *release, const char *digest)
{
    for (size_t i = 0; edgenode != NULL && i < edgenode->n_turns; i++)
        if (strcmp(edgenode->turns[i].release, release) == 0 && strcmp(edgenode->turns[i].digest, digest) == 0)
            return true;
    return false;
}

uint64_t hf_edgenode_interval_ns(const json_t *status)
{
    uint64_t ns = 0;

    if (hf_parse_duration(hf_json_str_or(status, "policy.interval", ""), &ns) < 0 || ns == 0)
        return DEFAULT_INTERVAL_NS;
    return ns;
}

uint64_t hf_edgenode_silent_after_ns(uint64_t interval_ns)
{
    uint64_t grace = HF_MAX(interval_ns / 2, LEAST_GRACE_NS);

    return interval_ns < UINT64_MAX - grace ? interval_ns + grace : UINT64_MAX;
}
