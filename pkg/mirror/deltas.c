/* SPDX-License-Identifier: Apache-2.0 */
/* A look is at most three requests: referrers of the manifest, or else the tag that stands in for them (OCI
 * distribution specification, "Referrers Tag Schema"); then the manifest of the smallest artifact whose old image the
 * node has whole. Whatever goes wrong ends it without a find: the image is then pulled as any other. */
#include "mirror/deltas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror/store.h"
#include "oci/image_delta.h"
#include "oci/manifest.h"

#define CONNECT_NS (5 * HF_NS_PER_S)
#define ANSWER_NS (10 * HF_NS_PER_S) /* containerd waits for the manifest meanwhile */

struct hf_mirror_look {
    struct hf_mirror_look_params p;
    struct hf_oci_manifest image;
    char subject[HF_OCI_DIGEST];
    struct hf_oci_delta_offer offer; /* the chosen one */
    struct hf_mirror_call *call;
    enum look_step { REFERRERS, TAG, ARTIFACT } step;
    int status;
    struct hf_buf body;
};

/* ---- the table --------------------------------------------------------------------------------------------------- */

void hf_mirror_deltas_done(struct hf_mirror_deltas *deltas)
{
    for (size_t i = 0; i < HF_MIRROR_DELTAS; i++)
        free(deltas->items[i].image);
    *deltas = (struct hf_mirror_deltas){.next = 0};
}

static struct hf_mirror_delta *find(struct hf_mirror_deltas *deltas, const char *origin, const char *name,
                                    const char *to)
{
    size_t n = strlen(origin);

    for (size_t i = 0; i < HF_MIRROR_DELTAS; i++) {
        struct hf_mirror_delta *item = &deltas->items[i];
        if (item->image != NULL && strcmp(item->to, to) == 0 && strncmp(item->image, origin, n) == 0 &&
            item->image[n] == ' ' && strcmp(item->image + n + 1, name) == 0)
            return item;
    }
    return NULL;
}

const struct hf_mirror_delta *hf_mirror_deltas_find(struct hf_mirror_deltas *deltas, const char *origin,
                                                    const char *name, const char *to)
{
    const struct hf_mirror_delta *item = find(deltas, origin, name, to);

    return item != NULL && !item->bad ? item : NULL;
}

void hf_mirror_deltas_blame(struct hf_mirror_deltas *deltas, const char *origin, const char *name, const char *to)
{
    struct hf_mirror_delta *item = find(deltas, origin, name, to);

    if (item != NULL)
        item->bad = true;
}

static void put(struct hf_mirror_look *look, const struct hf_oci_delta_blob *blob)
{
    struct hf_mirror_deltas *deltas = look->p.deltas;
    struct hf_mirror_delta *item = find(deltas, look->p.origin, look->p.name, blob->to + 7);

    /* a bad one stays so, unless the artifact has another delta now */
    if (item != NULL && strcmp(item->sha256, blob->blob.digest + 7) == 0)
        return;
    char *image = hf_asprintf("%s %s", look->p.origin, look->p.name);
    if (image == NULL)
        return;
    if (item == NULL) {
        item = &deltas->items[deltas->next];
        deltas->next = (deltas->next + 1) % HF_MIRROR_DELTAS;
    }
    free(item->image);
    *item = (struct hf_mirror_delta){.image = image, .to_size = blob->to_size, .size = blob->blob.size};
    memcpy(item->to, blob->to + 7, sizeof(item->to));
    memcpy(item->sha256, blob->blob.digest + 7, sizeof(item->sha256));
}

/* ---- what the node has ------------------------------------------------------------------------------------------- */

static bool has_layers(char *const *stores, const struct hf_oci_manifest *image)
{
    for (size_t i = 0; i < image->layers_n; i++)
        if (!hf_mirror_store_has(stores, image->layers[i].digest + 7, image->layers[i].size))
            return false;
    return true;
}

/* Of manifests of at most `*bytes`, which it takes off. */
static bool has_image(char *const *stores, const char *digest, size_t *bytes)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(*bytes);
    struct hf_oci_manifest image;

    if (!hf_mirror_store_read(stores, digest + 7, &text))
        return false;
    *bytes -= text.n;
    if (hf_oci_manifest_parse(hf_buf_view(&text), &image, NULL) < 0)
        return false;
    bool has = has_layers(stores, &image);
    hf_oci_manifest_done(&image);
    return has;
}

/* A delta for a layer that the image has and the node lacks, from layers that are here. */
static bool helps(const struct hf_mirror_look *look, const struct hf_oci_delta_blob *blob)
{
    bool wanted = false;

    for (size_t i = 0; i < look->image.layers_n; i++)
        wanted = wanted ||
                 (strcmp(look->image.layers[i].digest, blob->to) == 0 && look->image.layers[i].size == blob->to_size);
    if (!wanted || blob->from_n == 0 || blob->blob.size >= blob->to_size ||
        hf_mirror_store_has(look->p.stores, blob->to + 7, blob->to_size))
        return false;
    for (size_t i = 0; i < blob->from_n; i++)
        if (!hf_mirror_store_has(look->p.stores, blob->from[i] + 7, UINT64_MAX))
            return false;
    return true;
}

/* ---- the requests ------------------------------------------------------------------------------------------------ */

static void free_look(struct hf_mirror_look *look)
{
    hf_mirror_call_cancel(look->call);
    hf_oci_manifest_done(&look->image);
    hf_buf_done(&look->body);
    free(look);
}

static void end(struct hf_mirror_look *look)
{
    const struct hf_mirror_look_params p = look->p;

    free_look(look);
    p.done(p.arg);
}

static int on_response(void *arg, const struct hf_http_response *response)
{
    struct hf_mirror_look *look = arg;

    look->status = response->status;
    return 0;
}

static int on_body(void *arg, const void *bytes, size_t n)
{
    struct hf_mirror_look *look = arg;

    return look->status == 200 ? hf_buf_add(&look->body, bytes, n) : 0;
}

static void answered(void *arg, int r, const struct hf_err *err);

static int ask(struct hf_mirror_look *look, enum look_step step)
{
    char path[HF_OCI_DIGEST + sizeof(HF_OCI_TYPE_IMAGE_DELTA) + 40];
    const struct hf_mirror_ask ask = {.origin = look->p.origin,
                                      .name = look->p.name,
                                      .path = path,
                                      .accept = step == ARTIFACT ? HF_OCI_TYPE_MANIFEST : HF_OCI_TYPE_INDEX,
                                      .connect_ns = CONNECT_NS,
                                      .timeout_ns = ANSWER_NS,
                                      .max_bytes = HF_OCI_JSON_MAX,
                                      .tally = look->p.tally,
                                      .on_response = on_response,
                                      .on_body = on_body,
                                      .done = answered,
                                      .arg = look};

    if (step == REFERRERS)
        (void)snprintf(path, sizeof(path), "referrers/%s?artifactType=" HF_OCI_TYPE_IMAGE_DELTA, look->subject);
    else if (step == TAG)
        (void)snprintf(path, sizeof(path), "manifests/sha256-%s", look->p.sha256);
    else
        (void)snprintf(path, sizeof(path), "manifests/%s", look->offer.artifact.digest);
    look->step = step;
    look->status = 0;
    hf_buf_clear(&look->body);
    int r = hf_mirror_call_start(look->p.upstream, &ask, &look->call);
    if (r < 0)
        look->call = NULL;
    return r;
}

/* False: none of the offers is for this node. All old manifests together have the bound of one: the registry could have
 * put large ones here before. */
static bool choose(struct hf_mirror_look *look)
{
    _cleanup_(hf_freep) struct hf_oci_delta_offer *offers = NULL;
    size_t n = 0, bytes = HF_OCI_JSON_MAX;
    bool found = false;

    if (hf_oci_delta_offers_parse(hf_buf_view(&look->body), &offers, &n, NULL) < 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(offers[i].to, look->subject) != 0 || (found && offers[i].bytes >= look->offer.bytes) ||
            !has_image(look->p.stores, offers[i].from, &bytes))
            continue;
        look->offer = offers[i];
        found = true;
    }
    return found;
}

static void take_artifact(struct hf_mirror_look *look)
{
    struct hf_oci_image_delta delta;
    char digest[HF_OCI_DIGEST];

    if (strcmp(hf_oci_digest_of(look->body.p, look->body.n, digest), look->offer.artifact.digest) != 0 ||
        hf_oci_image_delta_parse(hf_buf_view(&look->body), &delta, NULL) < 0)
        return;
    if (strcmp(delta.subject.digest, look->subject) == 0)
        for (size_t i = 0; i < delta.blobs_n; i++)
            if (helps(look, &delta.blobs[i]))
                put(look, &delta.blobs[i]);
    hf_oci_image_delta_done(&delta);
}

static void answered(void *arg, int r, HF_UNUSED const struct hf_err *err)
{
    struct hf_mirror_look *look = arg;
    bool more = false;

    look->call = NULL;
    bool ok = r == 0 && look->status == 200 && look->body.n > 0;
    if (ok && look->step == ARTIFACT)
        take_artifact(look);
    else if (ok)
        more = choose(look) && ask(look, ARTIFACT) == 0;
    else if (r == 0 && look->status == 404 && look->step == REFERRERS)
        more = ask(look, TAG) == 0;
    if (!more)
        end(look);
}

int hf_mirror_look_start(const struct hf_mirror_look_params *params, struct hf_mirror_look **ret_look)
{
    struct hf_mirror_look *look = calloc(1, sizeof(*look));

    if (look == NULL)
        return -ENOMEM;
    look->p = *params;
    look->body.max = HF_OCI_JSON_MAX;
    (void)snprintf(look->subject, sizeof(look->subject), "sha256:%s", params->sha256);
    int r = hf_oci_manifest_parse(params->manifest, &look->image, NULL);
    if (r < 0 || look->image.artifact_type[0] != '\0' || has_layers(params->stores, &look->image))
        r = -ENOENT;
    else
        r = ask(look, REFERRERS);
    if (r < 0)
        free_look(look);
    else
        *ret_look = look;
    return r;
}

void hf_mirror_look_cancel(struct hf_mirror_look *look)
{
    if (look != NULL)
        free_look(look);
}
