/* SPDX-License-Identifier: Apache-2.0 */
/* An object of Flux names an archive: status.artifact {url, revision, digest, size}.
 *
 *     object.c --> artifact --> address of the Service in the URL --> archive_download.c --> delivered
 *
 * A node does not use the DNS of the cluster, so each download asks the API server for the address anew: it may
 * change. Whoever may write Services chooses it, and hf_cluster_url_check_address() keeps it away from the node
 * itself.
 *
 * `waiting` is an attempt that has its time; `useless` an archive that has its digest and cannot be used, for which
 * only another artifact helps. A new artifact ends the attempt in progress, and clears `trouble`. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/conditions.h"
#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "kube/call.h"
#include "manifests/source/archive_download.h"
#include "manifests/source/cluster_url.h"
#include "manifests/source/object.h"

enum { MAX_REVISION = 200 };

struct flux_source {
    struct hf_manifest_source base;
    struct hf_source_object object;
    /* the artifact that the object names */
    struct hf_cluster_url url;
    char digest[HF_SHA256_HEX];  /* "" if the object has no usable artifact */
    char revision[MAX_REVISION]; /* of the object, with the beginning of the digest */
    uint64_t size;
    struct hf_kube_pending *lookup;       /* the question for the Service; NULL: none */
    struct hf_archive_download *download; /* the download; NULL: none */
    bool waiting;                         /* the next attempt has its time */
    bool useless;                         /* the archive has its digest, and cannot be used */
    struct hf_archive_trouble trouble;    /* with this artifact */
};

static struct flux_source *flux_of(struct hf_manifest_source *source)
{
    return hf_container_of(source, struct flux_source, base);
}

/* Ends an attempt. */
static void abandon(struct flux_source *flux)
{
    hf_kube_call_cancel(hf_steal(flux->lookup));
    hf_archive_download_free(hf_steal(flux->download));
    flux->waiting = false;
}

static void report(struct flux_source *flux, const struct hf_source_failure *failure, bool again,
                   uint64_t retry_after_ns)
{
    flux->waiting = again;
    hf_source_report(&flux->base, failure, again, retry_after_ns);
}

/* ---- the download ------------------------------------------------------------------------------------------------ */

static void fetched(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                    uint64_t retry_after_ns)
{
    struct flux_source *flux = arg;
    struct hf_source_failure own = *failure;

    flux->download = NULL;
    if (bundle != NULL) {
        hf_source_deliver(&flux->base, bundle, flux->revision);
        return;
    }
    flux->useless = !again;
    if (own.reason == HF_MANIFEST_REASON_SOURCE_GONE) /* Flux removes old archives: the object will name a newer one */
        own.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE;
    report(flux, &own, again, retry_after_ns);
}

static void begin_download(struct flux_source *flux, const char *url)
{
    const struct hf_manifest_from *from = &flux->base.p.entry->from;
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE};
    const struct hf_archive_download_params params = {
        .env = flux->base.p.env,
        .entry = flux->base.p.entry->name,
        .work_dir = flux->base.work_dir,
        .url = url,
        .host = flux->url.in_cluster ? flux->url.host : NULL,
        .digest = flux->digest,
        .size = flux->size,
        .sub_path = from->sub_path,
        .drop_top = false,
        .trouble = &flux->trouble,
        .turns = flux->base.p.turns,
        .takes = flux->base.p.takes,
        .takes_arg = flux->base.p.arg,
        .done = fetched,
        .arg = flux,
    };
    uint64_t wait_ns = 0;

    if (hf_archive_download_waits(params.env, &failure, &wait_ns)) {
        report(flux, &failure, true, wait_ns);
        return;
    }
    if (hf_archive_download_start(&params, &flux->download, &failure.err) < 0) {
        flux->download = NULL;
        report(flux, &failure, true, 0);
    }
}

/* ---- the Service ------------------------------------------------------------------------------------------------- */

/* Says why nothing is downloaded from a Service that was read. `r` is from hf_cluster_url_check_address(). */
static void blame_service(const struct flux_source *flux, int r, const char *address, struct hf_source_failure *failure)
{
    const char *ns = flux->url.ns, *service = flux->url.service;

    if (r == -EACCES)
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_NOT_ALLOWED, EACCES,
                             "Service '%s/%s' has the cluster IP %.40s, which is of this node, loopback, link-local, "
                             "multicast or reserved",
                             ns, service, address);
    else if (r == -EAGAIN)
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EAGAIN,
                             "the kernel does not tell whether the cluster IP %.40s of Service '%s/%s' is of this node",
                             address, ns, service);
    else if (r < 0 && (address[0] == '\0' || strcmp(address, "None") == 0))
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EADDRNOTAVAIL,
                             "Service '%s/%s' has no cluster IP (it is headless, or an external name), and a node "
                             "does not resolve names of the cluster",
                             ns, service);
    else if (r < 0)
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, EADDRNOTAVAIL,
                             "the cluster IP of Service '%s/%s' is no IP address: '%.40s'", ns, service, address);
    else
        (void)hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_INVALID, ENAMETOOLONG,
                             "the URL of the artifact is too long with the cluster IP %.40s in it", address);
}

static void found(void *arg, const struct hf_kube_answer *answer)
{
    struct flux_source *flux = arg;
    struct hf_source_failure failure;
    char url[HF_CLUSTER_URL_MAX];
    const char *address = answer->r == 0 ? hf_json_str_or(answer->object, "spec.clusterIP", "") : "";

    flux->lookup = NULL;
    int r = answer->r == 0 ? hf_cluster_url_check_address(address) : answer->r;
    if (r == 0 && hf_cluster_url_at(&flux->url, address, url) == 0) {
        begin_download(flux, url);
        return;
    }
    bool refused = answer->r == -EACCES;
    if (answer->r == 0)
        blame_service(flux, r, address, &failure);
    else
        (void)hf_failure_set(&failure, refused ? HF_MANIFEST_REASON_API_REFUSED : HF_MANIFEST_REASON_SOURCE_UNREACHABLE,
                             -answer->r, "%s Service '%s/%s', which has the archive: %s",
                             refused ? "the agent needs the verb get for" : "cannot read", flux->url.ns,
                             flux->url.service, HF_CUT(100, HF_ERR_TEXT(&answer->err)));
    report(flux, &failure, true, answer->retry_after_ns);
}

static void look_up(struct flux_source *flux)
{
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE};
    const struct hf_kube_call call = {
        .verb = HF_KUBE_GET,
        .api_version = "v1",
        .plural = "services",
        .ns = flux->url.ns,
        .name = flux->url.service,
    };

    if (hf_kube_call_send(flux->base.p.env->kube, &call, found, flux, &flux->lookup, &failure.err) < 0) {
        flux->lookup = NULL;
        report(flux, &failure, true, 0);
    }
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

/* Returns the message of the condition Ready, or "". */
static const char *ready_message(const json_t *object)
{
    return hf_json_str_or(hf_conditions_find(hf_json_at(object, "status.conditions"), "Ready"), "message", "");
}

/* Keeps the artifact of an object. Returns 1 if it is another one than before, 0 if it is the same, or -errno. */
static int take_artifact(struct flux_source *flux, const json_t *object, struct hf_source_failure *failure)
{
    const json_t *artifact = hf_json_at(object, "status.artifact");
    const char *url = hf_json_str_or(artifact, "url", ""), *digest = hf_json_str_or(artifact, "digest", "");
    const char *revision = hf_json_str_or(artifact, "revision", "");
    int64_t size = hf_json_int_or(artifact, "size", 0);

    if (!json_is_object(artifact))
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, ENODATA, "%s has no artifact yet: %s",
                              flux->object.kind, HF_CUT(150, ready_message(object)));
    if (strncmp(digest, "sha256:", 7) != 0 || strlen(digest + 7) != HF_SHA256_HEX - 1 ||
        strspn(digest + 7, "0123456789abcdef") != HF_SHA256_HEX - 1 || hf_cluster_url_parse(url, &flux->url) < 0)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_INVALID, EBADMSG,
                              "the artifact of %s has no http URL, or no digest sha256:<64 hex digits>",
                              flux->object.kind);
    if (size < 0 || size > HF_ARCHIVE_DOWNLOAD_MAX_BYTES)
        return hf_failure_set(failure, HF_MANIFEST_REASON_SOURCE_TOO_LARGE, E2BIG,
                              "the artifact has %" PRId64 " bytes, and may have %d; let Flux leave out files "
                              "(spec.ignore)",
                              size, HF_ARCHIVE_DOWNLOAD_MAX_BYTES);
    bool other = strcmp(flux->digest, digest + 7) != 0;
    memcpy(flux->digest, digest + 7, HF_SHA256_HEX);
    (void)snprintf(flux->revision, sizeof(flux->revision), "%.*s+%.12s",
                   (int)hf_utf8_prefix(revision, HF_MIN(strlen(revision), (size_t)180)), revision, flux->digest);
    flux->size = (uint64_t)size;
    return other;
}

static bool has_it(const struct flux_source *flux)
{
    return flux->base.revision != NULL && strcmp(flux->base.revision, flux->revision) == 0;
}

static void flux_turn(struct hf_manifest_source *source)
{
    struct flux_source *flux = flux_of(source);
    enum hf_config_scope scope = source->p.signed_ ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED;
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_NOT_ALLOWED};

    flux->waiting = false;
    if (flux->digest[0] == '\0' || flux->lookup != NULL || flux->download != NULL)
        return;
    if (has_it(flux))
        hf_source_unchanged(source);
    else if (!hf_config_allows_manifest_origin(source->p.env->config, scope, flux->url.url, &failure.err))
        report(flux, &failure, false, 0);
    else if (flux->url.in_cluster)
        look_up(flux);
    else
        begin_download(flux, flux->url.url);
}

static void flux_changed(struct hf_manifest_source *source, json_t *object)
{
    struct flux_source *flux = flux_of(source);
    struct hf_source_failure failure;
    int r = take_artifact(flux, object, &failure);

    if (r < 0) {
        abandon(flux);
        flux->digest[0] = '\0';
        hf_source_report(source, &failure, false, 0);
    } else if (r > 0) {
        abandon(flux);
        flux->useless = false;
        flux->trouble = (struct hf_archive_trouble){.wasted = 0};
        hf_backoff_reset(&source->backoff);
        flux_turn(source);
    } else if (has_it(flux)) {
        hf_source_unchanged(source);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int flux_start(struct hf_manifest_source *source, struct hf_err *err)
{
    const struct hf_manifest_from *from = &source->p.entry->from;
    struct flux_source *flux = flux_of(source);

    flux->object = (struct hf_source_object){
        .source = source,
        .kind = hf_manifest_flux_kinds[from->flux_kind],
        .ns = from->namespace_,
        .name = from->name,
        .changed = flux_changed,
    };
    return hf_source_object_start(&flux->object, err);
}

static void flux_refresh(struct hf_manifest_source *source)
{
    struct flux_source *flux = flux_of(source);

    hf_source_object_refresh(&flux->object);
    if (!flux->waiting && !flux->useless && flux->digest[0] != '\0' && !has_it(flux))
        hf_source_again(source, 0);
}

static void flux_ready(struct hf_manifest_source *source)
{
    hf_archive_download_ready(flux_of(source)->download);
}

static void flux_stop(struct hf_manifest_source *source)
{
    hf_source_object_stop(&flux_of(source)->object);
    abandon(flux_of(source));
}

const struct hf_manifest_source_kind hf_source_flux_kind = {
    .name = "fluxSource",
    .size = sizeof(struct flux_source),
    .start = flux_start,
    .turn = flux_turn,
    .refresh = flux_refresh,
    .ready = flux_ready,
    .stop = flux_stop,
};
