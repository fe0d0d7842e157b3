/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes refuse a sequence below one that they have committed, so this is a new release with the content of the older
 * one; selector, strategy and windows come from the current EdgeUpdate. */
#include "cli/fleet/rollback_object.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "cli/release/release_spread.h"

/* Highest integer that canonical JSON carries. */
#define MAX_SEQUENCE 9007199254740991
#define ROLLBACK_MARK "rollback."
enum { MAX_VERSION = 64 }; /* characters of spec.release.version */

static const char *release_text(const json_t *update, const char *key)
{
    return hf_json_str_or(hf_json_at(update, "spec.release"), key, "");
}

static int64_t sequence_of(const json_t *update)
{
    return hf_json_int_or(update, "spec.release.sequence", 0);
}

/* Returns true if one release has an artifact for each architecture of the other; *ret_arch receives a missing one. */
static bool covers(const json_t *older, const json_t *current, const char **ret_arch)
{
    const json_t *has = hf_json_at(older, "spec.release.artifacts");
    const json_t *needs = hf_json_at(current, "spec.release.artifacts");

    for (size_t i = 0; i < json_array_size(needs); i++) {
        const char *arch = hf_json_str_or(json_array_get(needs, i), "arch", "");
        size_t k = 0;
        while (k < json_array_size(has) && strcmp(hf_json_str_or(json_array_get(has, k), "arch", ""), arch) != 0)
            k++;
        if (k == json_array_size(has)) {
            *ret_arch = arch;
            return false;
        }
    }
    return true;
}

static int check(const struct hf_rollback *rollback, struct hf_err *err)
{
    const json_t *current = rollback->current, *older = rollback->older;
    const char *arch = "";

    if (strcmp(release_text(current, "name"), release_text(older, "name")) != 0)
        return hf_err_set(err, EINVAL, "spec.release.name: CURRENT is a release of '%.63s', OLDER of '%.63s'",
                          release_text(current, "name"), release_text(older, "name"));
    if (sequence_of(older) >= sequence_of(current))
        return hf_err_set(err, EINVAL,
                          "spec.release.sequence: OLDER has %lld, which is not below %lld of CURRENT; are the two the "
                          "wrong way round?",
                          (long long)sequence_of(older), (long long)sequence_of(current));
    if (strcmp(hf_json_str_or(current, "spec.release.install.path", ""),
               hf_json_str_or(older, "spec.release.install.path", "")) != 0)
        return hf_err_set(err, EINVAL,
                          "spec.release.install.path: CURRENT installs '%.80s', OLDER '%.80s'; a rollback would leave "
                          "the newer file in place",
                          hf_json_str_or(current, "spec.release.install.path", ""),
                          hf_json_str_or(older, "spec.release.install.path", ""));
    if (!covers(older, current, &arch))
        return hf_err_set(err, EINVAL,
                          "spec.release.artifacts: OLDER has none for '%.40s', so these nodes could not go back", arch);
    if (rollback->sequence != 0 && (int64_t)rollback->sequence <= sequence_of(current))
        return hf_err_set(err, EINVAL, "--sequence: %llu is not above %lld of CURRENT, so every node would refuse it",
                          (unsigned long long)rollback->sequence, (long long)sequence_of(current));
    if (rollback->sequence == 0 && sequence_of(current) >= MAX_SEQUENCE)
        return hf_err_set(err, EINVAL, "spec.release.sequence: CURRENT has the highest possible one");
    return 0;
}

/* What the API server and the controller wrote, and orders about the release that goes: its images may never come. */
static void strip(json_t *update)
{
    static const char *const server[] = {"uid",           "resourceVersion",   "generation",
                                         "managedFields", "creationTimestamp", "selfLink"};
    static const char *const orders[] = {"kubectl.kubernetes.io/last-applied-configuration",
                                         HF_ROLLOUT_PAUSED_ANNOTATION, HF_ROLLOUT_HALTED_ANNOTATION,
                                         HF_ROLLOUT_RESUME_ANNOTATION};
    json_t *metadata = json_object_get(update, "metadata"), *annotations = json_object_get(metadata, "annotations");

    for (size_t i = 0; i < HF_LEN(server); i++)
        (void)json_object_del(metadata, server[i]);
    for (size_t i = 0; i < HF_LEN(orders); i++)
        (void)json_object_del(annotations, orders[i]);
    if (annotations != NULL && json_object_size(annotations) == 0)
        (void)json_object_del(metadata, "annotations");
    (void)json_object_del(update, "status");
    (void)json_object_del(json_object_get(update, "spec"), "signatures");
    (void)json_object_del(json_object_get(update, "spec"), "waitForImages");
}

/* The version of OLDER with build metadata (SemVer 10) that no other release has: "1.4.0+rollback.7", or
 * "1.4.0+linux.rollback.7". A rollback to a rollback names the last one alone. A version that is too long is cut. */
static json_t *new_version(const char *older, int64_t sequence)
{
    char suffix[40];
    const char *last = strstr(older, ROLLBACK_MARK);
    size_t n = strlen(older);

    if (last != NULL && last > older && (last[-1] == '+' || last[-1] == '.'))
        n = (size_t)(last - 1 - older);
    bool has_metadata = memchr(older, '+', n) != NULL;
    int used =
        snprintf(suffix, sizeof(suffix), "%c" ROLLBACK_MARK "%lld", has_metadata ? '.' : '+', (long long)sequence);
    return json_sprintf("%.*s%s", (int)HF_MIN(n, (size_t)(MAX_VERSION - used)), older, suffix);
}

static json_t *new_release(const struct hf_rollback *rollback)
{
    json_t *release = json_deep_copy(hf_json_at(rollback->older, "spec.release"));
    int64_t sequence = rollback->sequence != 0 ? (int64_t)rollback->sequence : sequence_of(rollback->current) + 1;

    if (release == NULL)
        return NULL;
    (void)json_object_del(release, "signedAt");
    (void)json_object_del(release, "downgradeFrom");
    (void)json_object_del(release, "allowDowngrade");
    if (json_object_set_new(release, "version", new_version(release_text(rollback->older, "version"), sequence)) < 0 ||
        json_object_set_new(release, "sequence", json_integer(sequence)) < 0 ||
        json_object_set_new(release, "expires", json_string(rollback->expires)) < 0) {
        json_decref(release);
        return NULL;
    }
    return release;
}

int hf_rollback_object_make(const struct hf_rollback *rollback, json_t **ret_update, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *update = NULL;
    int r = check(rollback, err);

    if (r < 0)
        return r;
    update = json_deep_copy(rollback->current);
    if (update == NULL || json_object_set_new(json_object_get(update, "spec"), "release", new_release(rollback)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    strip(update);
    if (rollback->at_once) {
        (void)json_object_del(json_object_get(update, "spec"), "strategy");
        r = hf_release_mean_all(update, err);
        if (r < 0)
            return r;
    }
    *ret_update = hf_steal(update);
    return 0;
}

int hf_rollback_object_add_delta(json_t *update, const char *arch, json_t *delta, struct hf_err *err)
{
    json_t *artifacts = hf_json_mutable(hf_json_at(update, "spec.release.artifacts"));

    for (size_t i = 0; i < json_array_size(artifacts); i++) {
        json_t *artifact = json_array_get(artifacts, i), *deltas = json_object_get(artifact, "deltas");
        if (strcmp(hf_json_str_or(artifact, "arch", ""), arch) != 0)
            continue;
        if (json_is_array(deltas))
            return json_array_insert_new(deltas, 0, delta) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;
        deltas = json_array();
        if (json_array_append_new(deltas, delta) < 0) {
            json_decref(deltas);
            return hf_err_set(err, ENOMEM, "out of memory");
        }
        if (json_object_set_new(artifact, "deltas", deltas) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
        return 0;
    }
    json_decref(delta);
    return hf_err_set(err, EINVAL, "--delta: the release has no artifact for '%.40s'", arch);
}
