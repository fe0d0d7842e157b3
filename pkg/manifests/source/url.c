/* SPDX-License-Identifier: Apache-2.0 */
/* An archive at a URL whose digest the entry states. Once the engine has the content, the source downloads nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/source/archive_download.h"
#include "manifests/source/source_impl.h"
#include "oci/registry/reference.h"

struct url_source {
    struct hf_manifest_source base;
    struct hf_archive_download *download; /* NULL: no download runs */
    bool waiting;                         /* the next attempt has its time */
    /* the archive has the digest, and cannot be used: it is the same whenever the node downloads it */
    bool useless;
    struct hf_archive_trouble trouble;
};

static struct url_source *url_of(struct hf_manifest_source *source)
{
    return hf_container_of(source, struct url_source, base);
}

static void revision_of(const struct hf_manifest_source *source, char revision[HF_SHA256_HEX + 8])
{
    (void)snprintf(revision, HF_SHA256_HEX + 8, "sha256:%s", source->p.entry->from.digest);
}

static bool has_it(const struct hf_manifest_source *source)
{
    char revision[HF_SHA256_HEX + 8];

    revision_of(source, revision);
    return source->revision != NULL && strcmp(source->revision, revision) == 0;
}

static void report(struct url_source *url, const struct hf_source_failure *failure, bool again, uint64_t retry_after_ns)
{
    url->waiting = again;
    hf_source_report(&url->base, failure, again, retry_after_ns);
}

static void fetched(void *arg, struct hf_bundle *bundle, const struct hf_source_failure *failure, bool again,
                    uint64_t retry_after_ns)
{
    struct url_source *url = arg;
    char revision[HF_SHA256_HEX + 8];

    url->download = NULL;
    url->useless = bundle == NULL && !again;
    revision_of(&url->base, revision);
    if (bundle != NULL)
        hf_source_deliver(&url->base, bundle, revision);
    else
        report(url, failure, again, retry_after_ns);
}

/* Does the node allow this server, or registry? */
static int ask_node(const struct hf_manifest_source *source, struct hf_source_failure *failure)
{
    enum hf_config_scope scope = source->p.signed_ ? HF_CONFIG_SIGNED : HF_CONFIG_UNSIGNED;
    const char *url = source->p.entry->from.url;
    _cleanup_(hf_freep) char *blob = NULL;

    if (hf_oci_blob_url(url, &blob) < 0)
        return hf_source_blame(failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE,
                               hf_err_set(&failure->err, ENOMEM, "out of memory"));
    return hf_config_allows_manifest_origin(source->p.env->config, scope, blob != NULL ? blob : url, &failure->err)
               ? 0
               : -EACCES;
}

static void url_turn(struct hf_manifest_source *source)
{
    struct url_source *url = url_of(source);
    const struct hf_manifest_from *from = &source->p.entry->from;
    struct hf_source_failure failure = {.reason = HF_MANIFEST_REASON_NOT_ALLOWED};
    const struct hf_archive_download_params params = {
        .env = source->p.env,
        .entry = source->p.entry->name,
        .work_dir = source->work_dir,
        .url = from->url,
        .digest = from->digest,
        .sub_path = from->sub_path,
        .drop_top = true,
        .trouble = &url->trouble,
        .turns = source->p.turns,
        .takes = source->p.takes,
        .takes_arg = source->p.arg,
        .done = fetched,
        .arg = url,
    };

    uint64_t wait_ns = 0;
    int r;

    url->waiting = false;
    if (has_it(source)) {
        hf_source_unchanged(source);
    } else if ((r = ask_node(source, &failure)) < 0) {
        report(url, &failure, r == -ENOMEM, 0);
    } else if (url->download == NULL && hf_archive_download_waits(source->p.env, &failure, &wait_ns)) {
        report(url, &failure, true, wait_ns);
    } else if (url->download == NULL && hf_archive_download_start(&params, &url->download, &failure.err) < 0) {
        url->download = NULL;
        failure.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE;
        report(url, &failure, true, 0);
    }
}

static void url_refresh(struct hf_manifest_source *source)
{
    const struct url_source *url = url_of(source);

    if (!url->waiting && !url->useless && url->download == NULL)
        hf_source_again(source, 0);
}

static void url_ready(struct hf_manifest_source *source)
{
    hf_archive_download_ready(url_of(source)->download);
}

static void url_stop(struct hf_manifest_source *source)
{
    hf_archive_download_free(hf_steal(url_of(source)->download));
}

const struct hf_manifest_source_kind hf_source_url_kind = {
    .name = "url",
    .size = sizeof(struct url_source),
    .turn = url_turn,
    .refresh = url_refresh,
    .ready = url_ready,
    .stop = url_stop,
};
