/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trust/release_trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/folder.h"
#include "trust/trust.h"

enum { MAX_WHY = 400 };

struct verdict {
    char digest[HF_SHA256_HEX], stamp[HF_SHA256_HEX];
    json_t *signatures; /* those that the verdict is about; NULL if the object has none */
    bool accepted;
    bool asked; /* this plan has asked for the verdict */
    char why[MAX_WHY];
};

static void free_verdict(void *value)
{
    struct verdict *verdict = value;

    json_decref(verdict->signatures);
    free(verdict);
}

void hf_release_trust_init(struct hf_release_trust *trust, const struct hf_agent_env *env)
{
    *trust = (struct hf_release_trust){.env = env, .verdicts = {.free_value = free_verdict}};
}

void hf_release_trust_done(struct hf_release_trust *trust)
{
    hf_strmap_done(&trust->verdicts);
}

void hf_release_trust_begin(struct hf_release_trust *trust)
{
    trust->stamp[0] = '\0';
    for (size_t i = 0; i < trust->verdicts.n; i++)
        ((struct verdict *)trust->verdicts.entries[i].value)->asked = false;
}

void hf_release_trust_end(struct hf_release_trust *trust)
{
    for (size_t i = trust->verdicts.n; i-- > 0;)
        if (!((struct verdict *)trust->verdicts.entries[i].value)->asked)
            (void)hf_strmap_remove(&trust->verdicts, trust->verdicts.entries[i].key);
}

static json_t *signatures_of(const struct hf_edgeupdate *update)
{
    return json_object_get(json_object_get(update->json, "spec"), "signatures");
}

/* The verdict about this very release, with these signatures, under these keys; NULL: check them. */
static struct verdict *find(struct hf_release_trust *trust, const struct hf_edgeupdate *update)
{
    struct verdict *known = hf_strmap_get(&trust->verdicts, update->meta.name);
    json_t *signatures = signatures_of(update);

    if (known == NULL || strcmp(known->digest, update->release.digest) != 0 || strcmp(known->stamp, trust->stamp) != 0)
        return NULL;
    bool same = known->signatures == signatures ||
                (known->signatures != NULL && signatures != NULL && json_equal(known->signatures, signatures));
    return same ? known : NULL;
}

/* Returns false if no verdict is possible now. */
static bool check(struct hf_release_trust *trust, const struct hf_edgeupdate *update, struct verdict *fresh)
{
    const struct hf_agent_env *env = trust->env;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;
    char text[300];

    trust->checks++;
    if (hf_trust_check(env->world.fs, env->params->trust_dir, update, &verdict, &err) < 0)
        return false;
    fresh->accepted = verdict == HF_TRUST_OK;
    if (!fresh->accepted)
        (void)snprintf(fresh->why, sizeof(fresh->why), "%s: %s", hf_trust_reason(verdict),
                       hf_err_text(&err, text, sizeof(text)));
    return true;
}

bool hf_release_trust_accepts(struct hf_release_trust *trust, const struct hf_edgeupdate *update)
{
    const struct hf_agent_env *env = trust->env;

    if (trust->stamp[0] == '\0')
        hf_trust_folder_stamp(env->world.fs, env->params->trust_dir, trust->stamp);
    struct verdict *verdict = find(trust, update);
    if (verdict != NULL) {
        verdict->asked = true;
        return verdict->accepted;
    }
    verdict = calloc(1, sizeof(*verdict));
    if (verdict == NULL)
        return false;
    if (!check(trust, update, verdict)) {
        free(verdict);
        return false;
    }
    (void)snprintf(verdict->digest, sizeof(verdict->digest), "%s", update->release.digest);
    (void)snprintf(verdict->stamp, sizeof(verdict->stamp), "%s", trust->stamp);
    verdict->signatures = json_incref(signatures_of(update));
    verdict->asked = true;
    bool accepted = verdict->accepted;
    if (hf_strmap_put(&trust->verdicts, update->meta.name, verdict) < 0)
        free_verdict(verdict);
    return accepted;
}

const char *hf_release_trust_why(const struct hf_release_trust *trust, const char *name)
{
    const struct verdict *verdict = hf_strmap_get(&trust->verdicts, name);

    return verdict != NULL && !verdict->accepted ? verdict->why : NULL;
}
