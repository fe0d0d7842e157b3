/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/source/config_map.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/base64.h"
#include "manifests/source/object.h"
#include "os/secret/secret_memory.h"

/* ---- the content ------------------------------------------------------------------------------------------------- */

static int blame(struct hf_source_failure *failure, int r)
{
    return hf_source_blame(failure,
                           r == -E2BIG    ? HF_MANIFEST_REASON_SOURCE_TOO_LARGE
                           : r == -ENOMEM ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE
                                          : HF_MANIFEST_REASON_SOURCE_INVALID,
                           r);
}

static int add(struct hf_bundle *bundle, const char *key, const json_t *value, bool base64,
               struct hf_source_failure *failure)
{
    struct hf_view text = {json_string_value(value), json_string_length(value)};
    /* The buffer gets its whole size at once, so that it never moves and leaves a copy of a secret behind. */
    struct hf_buf bytes = HF_BUF_INIT(HF_BUNDLE_MAX_FILE);

    if (!json_is_string(value) || strchr(key, '/') != NULL)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG,
                              "the key '%.160s' is not a file name, or its value is not text", key);
    int r = 0;
    if (base64) {
        r = hf_buf_reserve(&bytes, HF_MIN(text.n, bytes.max));
        if (r == 0)
            r = hf_base64_decode(text, &bytes);
        text = hf_buf_view(&bytes);
    }
    if (r == -EINVAL)
        r = hf_err_set(&failure->err, EBADMSG, "the value of the key '%.160s' is not Base64 text", key);
    else if (r < 0)
        r = hf_err_set(&failure->err, -r, "the value of the key '%.160s' is too long", key);
    else
        r = hf_bundle_add(bundle, key, HF_BUNDLE_NO_MODE, text, &failure->err);
    hf_buf_wipe(&bytes);
    return r < 0 ? blame(failure, r) : 0;
}

static int add_all(struct hf_bundle *bundle, const json_t *values, bool base64, struct hf_source_failure *failure)
{
    const char *key;
    json_t *value;

    if (values != NULL && !json_is_null(values) && !json_is_object(values))
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG, "the data is not an object");
    json_object_foreach(hf_json_mutable(values), key, value) {
        int r = add(bundle, key, value, base64, failure);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Names a version of a Secret without its content. */
static void name_secret(const json_t *object, struct hf_bundle *bundle)
{
    const char *parts[] = {"secret", hf_json_str_or(object, "metadata.uid", ""),
                           hf_json_str_or(object, "metadata.resourceVersion", "")};
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    for (size_t i = 0; i < HF_LEN(parts); i++)
        hf_sha256_update(&hash, parts[i], strlen(parts[i]) + 1);
    (void)hf_sha256_final_hex(&hash, bundle->id);
}

int hf_config_map_bundle(const json_t *object, bool secret, struct hf_bundle **ret_bundle,
                         struct hf_source_failure *failure)
{
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = hf_bundle_new();

    *failure = (struct hf_source_failure){.reason = HF_MANIFEST_REASON_NONE};
    if (bundle == NULL)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENOMEM, "out of memory");
    bundle->secret = secret;
    int r = add_all(bundle, json_object_get(object, "data"), secret, failure);
    if (r == 0 && !secret)
        r = add_all(bundle, json_object_get(object, "binaryData"), true, failure);
    if (r == 0 && bundle->n == 0)
        r = hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_EMPTY, ENODATA,
                           "%s '%.63s/%.100s' has no keys; what is in place stays", secret ? "Secret" : "ConfigMap",
                           hf_json_str_or(object, "metadata.namespace", ""),
                           hf_json_str_or(object, "metadata.name", ""));
    if (r < 0)
        return r;
    r = hf_bundle_seal(bundle, &failure->err);
    if (r < 0)
        return blame(failure, r);
    if (secret)
        name_secret(object, bundle);
    *ret_bundle = hf_steal(bundle);
    return 0;
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

struct config_map_source {
    struct hf_manifest_source base;
    struct hf_source_object object;
    bool secret;
    char version[64]; /* resourceVersion of the last content; "" if there is none */
};

static struct config_map_source *map_of(struct hf_manifest_source *source)
{
    return hf_container_of(source, struct config_map_source, base);
}

static void map_changed(struct hf_manifest_source *source, json_t *object)
{
    struct config_map_source *map = map_of(source);
    const char *version = hf_json_str_or(object, "metadata.resourceVersion", "");
    struct hf_source_failure failure;
    struct hf_bundle *bundle = NULL;

    if (map->version[0] != '\0' && strcmp(map->version, version) == 0) {
        hf_source_unchanged(source);
        return;
    }
    map->version[0] = '\0';
    if (hf_config_map_bundle(object, map->secret, &bundle, &failure) < 0) {
        hf_source_report(source, &failure, false, 0);
        return;
    }
    (void)snprintf(map->version, sizeof(map->version), "%s", version);
    hf_source_deliver(source, bundle, version);
}

static int map_start(struct hf_manifest_source *source, struct hf_err *err)
{
    const struct hf_manifest_from *from = &source->p.entry->from;
    struct config_map_source *map = map_of(source);

    map->secret = from->kind == HF_MANIFEST_FROM_SECRET;
    if (map->secret)
        hf_secret_memory_guard();
    map->object = (struct hf_source_object){
        .source = source,
        .kind = map->secret ? "Secret" : "ConfigMap",
        .ns = from->namespace_,
        .name = from->name,
        .changed = map_changed,
    };
    return hf_source_object_start(&map->object, err);
}

static void map_refresh(struct hf_manifest_source *source)
{
    hf_source_object_refresh(&map_of(source)->object);
}

static void map_stop(struct hf_manifest_source *source)
{
    hf_source_object_stop(&map_of(source)->object);
}

const struct hf_manifest_source_kind hf_source_config_map_kind = {
    .name = "configMap",
    .size = sizeof(struct config_map_source),
    .start = map_start,
    .refresh = map_refresh,
    .stop = map_stop,
};
