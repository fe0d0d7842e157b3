/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/own_edgenode.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/diskq.h"

static const char kind[] = "EdgeNode";

void hf_own_edgenode_init(struct hf_own_edgenode *own, const struct hf_agent_env *env)
{
    *own = (struct hf_own_edgenode){.env = env};
}

void hf_own_edgenode_done(struct hf_own_edgenode *own)
{
    hf_edgenode_free(own->decoded);
    own->decoded = NULL;
}

static json_t *turns_of(const json_t *edgenode)
{
    return (json_t *)(uintptr_t)hf_json_at(edgenode, "spec.turns");
}

/* The EdgeNode with its turns alone. */
static json_t *condense(const json_t *edgenode)
{
    return json_pack("{s:s, s:s, s:{s:s}, s:{s:O}}", "apiVersion", HF_API_GROUP_VERSION, "kind", kind, "metadata",
                     "name", hf_json_str_or(edgenode, "metadata.name", ""), "spec", "turns", turns_of(edgenode));
}

static void log_refused(const struct hf_own_edgenode *own, const struct hf_issues *issues)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(512);

    hf_issues_format(issues, &text);
    hf_log(own->env->world.log, HF_LOG_ERROR, "object.refused", HF_S("kind", kind),
           HF_S("name", own->env->params->node_name), HF_S("error", hf_buf_str(&text)));
}

/* NULL: no turns, or none that this node can read. */
static struct hf_edgenode *decode(const struct hf_own_edgenode *own, const json_t *edgenode)
{
    _cleanup_(hf_json_freep) json_t *json = json_array_size(turns_of(edgenode)) > 0 ? condense(edgenode) : NULL;
    struct hf_issues *issues = json != NULL ? calloc(1, sizeof(*issues)) : NULL;
    struct hf_edgenode *decoded = NULL;

    if (issues != NULL && hf_edgenode_decode(json, &decoded, issues) < 0) {
        log_refused(own, issues);
        decoded = NULL;
    }
    free(issues);
    return decoded;
}

static bool same(const struct hf_edgenode *a, const struct hf_edgenode *b)
{
    return a == NULL || b == NULL ? a == b : json_equal(turns_of(a->json), turns_of(b->json)) != 0;
}

void hf_own_edgenode_load(struct hf_own_edgenode *own, const json_t *edgenode)
{
    hf_edgenode_free(own->decoded);
    own->decoded = decode(own, edgenode);
}

bool hf_own_edgenode_take(struct hf_own_edgenode *own, const json_t *edgenode)
{
    struct hf_edgenode *fresh = decode(own, edgenode);

    (void)snprintf(own->uid, sizeof(own->uid), "%s", hf_json_str_or(edgenode, "metadata.uid", ""));
    if (same(own->decoded, fresh)) {
        hf_edgenode_free(fresh);
        return false;
    }
    hf_edgenode_free(own->decoded);
    own->decoded = fresh;
    if (fresh != NULL)
        hf_diskq_put(own->env->diskq, kind, fresh->json);
    else
        hf_diskq_remove(own->env->diskq, kind, own->env->params->node_name);
    hf_log(own->env->world.log, HF_LOG_INFO, "node.turns", HF_D("turns", fresh != NULL ? fresh->n_turns : 0));
    return true;
}
