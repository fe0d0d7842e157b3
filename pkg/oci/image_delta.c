/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes the artifact's manifest. What the format requires is checked on reading, so that a node decides on
 * a value that is whole; what it does not know (keys, annotations) is left alone. */
#include "oci/image_delta.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/parse.h"

/* Annotations. On the manifest `to` and `from` name manifests, on a layer they name layers. */
#define HF_OCI_NOTE_TO "edge.codcompass.io/to"
#define HF_OCI_NOTE_TO_SIZE "edge.codcompass.io/to.size"
#define HF_OCI_NOTE_FROM "edge.codcompass.io/from"
#define HF_OCI_NOTE_BYTES "edge.codcompass.io/bytes"

#define EMPTY_DIGEST "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" /* of {} */

static const struct hf_json_limits limits = {.max_bytes = HF_OCI_JSON_MAX, .max_depth = 8, .max_nodes = 20000};

void hf_oci_image_delta_done(struct hf_oci_image_delta *delta)
{
    for (size_t i = 0; i < delta->blobs_n; i++)
        free(delta->blobs[i].from);
    free(delta->blobs);
    *delta = (struct hf_oci_image_delta){.blobs_n = 0};
}

uint64_t hf_oci_image_delta_bytes(const struct hf_oci_image_delta *delta)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < delta->blobs_n; i++)
        bytes += delta->blobs[i].blob.size;
    return bytes;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* An annotation's name has dots, which a path of hf_json_str() cannot. */
static const char *note(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(object, "annotations"), name));

    return text != NULL ? text : "";
}

static int read_digest(const char *text, const char *what, const char *name, char ret[static HF_OCI_DIGEST],
                       struct hf_err *err)
{
    if (!hf_oci_is_digest(text))
        return hf_err_set(err, EBADMSG, "%s: annotation %s is missing or no sha256 digest", what, name);
    memcpy(ret, text, HF_OCI_DIGEST);
    return 0;
}

/* "DIGEST,DIGEST,...", each once. */
static int read_from(const char *text, const char *what, struct hf_oci_delta_blob *blob, struct hf_err *err)
{
    const size_t each = HF_OCI_DIGEST; /* with its comma, or the end */
    size_t n = (strlen(text) + 1) / each;

    if (n == 0 || strlen(text) + 1 != n * each)
        return hf_err_set(err, EBADMSG, "%s: annotation %s is missing or no list of digests", what, HF_OCI_NOTE_FROM);
    if (n > HF_OCI_DELTA_FROM)
        return hf_err_set(err, E2BIG, "%s: more than %d base layers", what, HF_OCI_DELTA_FROM);
    blob->from = calloc(n, sizeof(*blob->from));
    if (blob->from == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (; blob->from_n < n; blob->from_n++) {
        const char *at = text + blob->from_n * each;
        char *digest = blob->from[blob->from_n];
        memcpy(digest, at, each - 1);
        if (!hf_oci_is_digest(digest) || (at[each - 1] != ',' && at[each - 1] != '\0'))
            return hf_err_set(err, EBADMSG, "%s: annotation %s is no list of digests", what, HF_OCI_NOTE_FROM);
        for (size_t i = 0; i < blob->from_n; i++)
            if (strcmp(blob->from[i], digest) == 0)
                return hf_err_set(err, EBADMSG, "%s: a base layer is listed twice", what);
    }
    return 0;
}

static int read_blob(const json_t *json, size_t index, struct hf_oci_delta_blob *blob, struct hf_err *err)
{
    char what[32];

    (void)snprintf(what, sizeof(what), "layer %zu", index);
    int r = hf_oci_descriptor_parse(json, what, &blob->blob, err);
    if (r < 0)
        return r;
    if (strcmp(blob->blob.media_type, HF_OCI_TYPE_LAYER_DELTA) != 0) {
        memcpy(blob->to, blob->blob.digest, sizeof(blob->to));
        blob->to_size = blob->blob.size;
        return 0;
    }
    if (hf_parse_u64(note(json, HF_OCI_NOTE_TO_SIZE), 0, HF_OCI_SIZE_MAX, &blob->to_size) < 0)
        return hf_err_set(err, EBADMSG, "%s: annotation %s is missing or no size", what, HF_OCI_NOTE_TO_SIZE);
    r = read_digest(note(json, HF_OCI_NOTE_TO), what, HF_OCI_NOTE_TO, blob->to, err);
    return r == 0 ? read_from(note(json, HF_OCI_NOTE_FROM), what, blob, err) : r;
}

static int read_blobs(const json_t *layers, struct hf_oci_image_delta *ret, struct hf_err *err)
{
    size_t n = json_array_size(layers);

    if (n > HF_OCI_DELTA_BLOBS)
        return hf_err_set(err, E2BIG, "more than %d layers", HF_OCI_DELTA_BLOBS);
    ret->blobs = calloc(n + 1, sizeof(*ret->blobs));
    if (ret->blobs == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    while (ret->blobs_n < n) {
        size_t i = ret->blobs_n++;
        int r = read_blob(json_array_get(layers, i), i, &ret->blobs[i], err);
        if (r < 0)
            return r;
        for (size_t j = 0; j < i; j++)
            if (strcmp(ret->blobs[j].to, ret->blobs[i].to) == 0)
                return hf_err_set(err, EBADMSG, "layers %zu and %zu are for the same blob", j, i);
    }
    return 0;
}

static int read_manifest(const json_t *json, struct hf_oci_image_delta *ret, struct hf_err *err)
{
    char to[HF_OCI_DIGEST];
    uint64_t bytes = 0;

    if (hf_json_int_or(json, "schemaVersion", 0) != 2 ||
        strcmp(hf_json_str_or(json, "mediaType", ""), HF_OCI_TYPE_MANIFEST) != 0)
        return hf_err_set(err, EBADMSG, "not an OCI image manifest");
    if (strcmp(hf_json_str_or(json, "artifactType", ""), HF_OCI_TYPE_IMAGE_DELTA) != 0)
        return hf_err_set(err, EBADMSG, "artifactType is not " HF_OCI_TYPE_IMAGE_DELTA);
    int r = hf_oci_descriptor_parse(json_object_get(json, "subject"), "subject", &ret->subject, err);
    if (r == 0)
        r = read_digest(note(json, HF_OCI_NOTE_TO), "manifest", HF_OCI_NOTE_TO, to, err);
    if (r == 0)
        r = read_digest(note(json, HF_OCI_NOTE_FROM), "manifest", HF_OCI_NOTE_FROM, ret->from, err);
    if (r == 0)
        r = read_blobs(json_object_get(json, "layers"), ret, err);
    if (r < 0)
        return r;
    if (ret->blobs_n == 0 || strcmp(ret->blobs[0].blob.digest, ret->subject.digest) != 0 ||
        strcmp(to, ret->subject.digest) != 0)
        return hf_err_set(err, EBADMSG, "subject, annotation " HF_OCI_NOTE_TO " and layer 0 name different manifests");
    if (hf_parse_u64(note(json, HF_OCI_NOTE_BYTES), 0, UINT64_MAX, &bytes) < 0 ||
        bytes != hf_oci_image_delta_bytes(ret))
        return hf_err_set(err, EBADMSG, "annotation " HF_OCI_NOTE_BYTES " is not the size of all layers");
    return 0;
}

int hf_oci_image_delta_parse(struct hf_view text, struct hf_oci_image_delta *ret, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_oci_image_delta delta = {.blobs_n = 0};
    int r = hf_json_parse(text, &limits, &json, err);

    if (r == 0)
        r = read_manifest(json, &delta, err);
    if (r < 0) {
        hf_oci_image_delta_done(&delta);
        return hf_err_wrap(err, r, "image delta");
    }
    *ret = delta;
    return 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static json_t *notes_of(const char *to, const char *from, const char *number_name, uint64_t number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    return json_pack("{s:s, s:s, s:s}", HF_OCI_NOTE_TO, to, number_name, text, HF_OCI_NOTE_FROM, from);
}

/* Takes `notes`; NULL if either is. */
static json_t *with_notes(json_t *object, json_t *notes)
{
    if (json_object_set_new(object, "annotations", notes) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *blob_json(const struct hf_oci_delta_blob *blob)
{
    char from[HF_OCI_DELTA_FROM * HF_OCI_DIGEST + 1] = "";
    json_t *json = hf_oci_descriptor_json(&blob->blob);

    assert(blob->from_n <= HF_OCI_DELTA_FROM);
    if (blob->from_n == 0)
        return json;
    for (size_t i = 0; i < blob->from_n; i++) {
        memcpy(from + i * HF_OCI_DIGEST, blob->from[i], HF_OCI_DIGEST - 1);
        from[(i + 1) * HF_OCI_DIGEST - 1] = i + 1 < blob->from_n ? ',' : '\0';
    }
    return with_notes(json, notes_of(blob->to, from, HF_OCI_NOTE_TO_SIZE, blob->to_size));
}

static json_t *blobs_json(const struct hf_oci_image_delta *delta)
{
    json_t *layers = json_array();

    for (size_t i = 0; i < delta->blobs_n; i++)
        if (json_array_append_new(layers, blob_json(&delta->blobs[i])) < 0) {
            json_decref(layers);
            return NULL;
        }
    return layers;
}

int hf_oci_image_delta_format(const struct hf_oci_image_delta *delta, struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:i, s:s, s:s, s:{s:s, s:s, s:i, s:s}, s:o, s:o, s:o}", "schemaVersion", 2, "mediaType",
                  HF_OCI_TYPE_MANIFEST, "artifactType", HF_OCI_TYPE_IMAGE_DELTA, "config", "mediaType",
                  HF_OCI_TYPE_EMPTY, "digest", EMPTY_DIGEST, "size", 2, "data", "e30=", "layers", blobs_json(delta),
                  "subject", hf_oci_descriptor_json(&delta->subject), "annotations",
                  notes_of(delta->subject.digest, delta->from, HF_OCI_NOTE_BYTES, hf_oci_image_delta_bytes(delta)));
    int r = json != NULL ? hf_json_format(json, out) : -ENOMEM;

    return r == 0 ? 0 : hf_err_set(err, -r, "the manifest of the image delta does not fit");
}

/* ---- offers ------------------------------------------------------------------------------------------------------ */

json_t *hf_oci_delta_offer_json(const struct hf_oci_delta_offer *offer)
{
    json_t *json = hf_oci_descriptor_json(&offer->artifact);

    if (json_object_set_new(json, "artifactType", json_string(HF_OCI_TYPE_IMAGE_DELTA)) < 0) {
        json_decref(json);
        return NULL;
    }
    return with_notes(json, notes_of(offer->to, offer->from, HF_OCI_NOTE_BYTES, offer->bytes));
}

static bool read_offer(const json_t *json, struct hf_oci_delta_offer *ret)
{
    struct hf_err ignored = HF_ERR_INIT;

    return strcmp(hf_json_str_or(json, "artifactType", ""), HF_OCI_TYPE_IMAGE_DELTA) == 0 &&
           hf_oci_descriptor_parse(json, "", &ret->artifact, &ignored) == 0 &&
           read_digest(note(json, HF_OCI_NOTE_TO), "", "", ret->to, &ignored) == 0 &&
           read_digest(note(json, HF_OCI_NOTE_FROM), "", "", ret->from, &ignored) == 0 &&
           hf_parse_u64(note(json, HF_OCI_NOTE_BYTES), 0, HF_OCI_DELTA_BLOBS * HF_OCI_SIZE_MAX, &ret->bytes) == 0;
}

static int parse_index(struct hf_view text, json_t **ret_json, json_t **ret_manifests, struct hf_err *err)
{
    static const struct hf_json_limits index_limits = {HF_OCI_JSON_MAX, 16, 100000};
    int r = hf_json_parse(text, &index_limits, ret_json, err);

    if (r < 0)
        return hf_err_wrap(err, r, "index");
    *ret_manifests = json_object_get(*ret_json, "manifests");
    if (hf_json_int_or(*ret_json, "schemaVersion", 0) != 2 || !json_is_array(*ret_manifests))
        return hf_err_set(err, EBADMSG, "not an OCI index");
    return 0;
}

int hf_oci_delta_offer_add(struct hf_view index, const struct hf_oci_delta_offer *offer, struct hf_buf *out,
                           struct hf_err *err)
{
    static const char none[] = "{\"schemaVersion\":2,\"mediaType\":\"" HF_OCI_TYPE_INDEX "\",\"manifests\":[]}";
    _cleanup_(hf_json_freep) json_t *json = NULL;
    json_t *manifests = NULL;
    int r = parse_index(index.n > 0 ? index : HF_VIEW(none), &json, &manifests, err);

    if (r < 0)
        return r;
    for (size_t i = json_array_size(manifests); i-- > 0;) {
        struct hf_oci_delta_offer other = {.bytes = 0};
        if (read_offer(json_array_get(manifests, i), &other) && strcmp(other.to, offer->to) == 0 &&
            strcmp(other.from, offer->from) == 0)
            (void)json_array_remove(manifests, i);
    }
    if (json_array_append_new(manifests, hf_oci_delta_offer_json(offer)) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = hf_json_format(json, out);
    return r < 0 ? hf_err_set(err, -r, "the index does not fit") : 0;
}

int hf_oci_delta_offers_parse(struct hf_view index, struct hf_oci_delta_offer **ret_offers, size_t *ret_n,
                              struct hf_err *err)
{
    _cleanup_(hf_freep) struct hf_oci_delta_offer *offers = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    json_t *manifests = NULL;
    size_t n = 0;
    int r = parse_index(index, &json, &manifests, err);

    if (r < 0)
        return r;
    offers = calloc(HF_OCI_DELTA_OFFERS, sizeof(*offers));
    if (offers == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t i = 0; i < json_array_size(manifests); i++) {
        struct hf_oci_delta_offer offer = {.bytes = 0};
        if (!read_offer(json_array_get(manifests, i), &offer))
            continue;
        if (n == HF_OCI_DELTA_OFFERS)
            return hf_err_set(err, E2BIG, "the index has more than %d image deltas", HF_OCI_DELTA_OFFERS);
        offers[n++] = offer;
    }
    *ret_offers = hf_steal(offers);
    *ret_n = n;
    return 0;
}
