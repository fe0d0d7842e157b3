/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds that can be followed, and their URLs. Pure. Functions that append to *out return 0, -E2BIG, -ENOMEM or
 * -EINVAL. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_resource {
    const char *kind;
    const char *list_kind; /* as an API server spells it */
    const char *api_version;
    const char *path;
    /* Whether the list kind's spelling proves that the cloud answered: a MetaServer's store derives it from the plural,
     * and misspells several words ("EdgeupdateList"). False for kinds of one word, and CertificateSigningRequest. */
    bool provable;
    /* a fleet's client asks only for metadata */
    bool metadata;
    const char *ns; /* NULL: cluster-scoped */
};

/* Returns a cluster-scoped kind, or NULL. */
const struct hf_resource *hf_resource_find(const char *kind);
/* Describes a kind of hf_kube_follow(). *ret_resource borrows `ns` and *ret_path, which the caller frees. -EINVAL:
 * another kind, or a bad `ns`. */
HF_MUST_USE int hf_resource_in(const char *kind, const char *ns, struct hf_resource *ret_resource, char **ret_path);
const char *hf_resource_plural(const struct hf_resource *resource); /* "edgeupdates" */

enum hf_page { HF_PAGE_CACHED, HF_PAGE_LARGE, HF_PAGE_EXACT, HF_PAGE_SMALL, HF_PAGE_PROXY };

/* From here on `name` NULL means all objects. */

enum { HF_RESOURCE_MAX_URL = 4096 }; /* bytes, without a continue token */

/* `next`: continue token of the page before, or "". `page`:
 *   HF_PAGE_CACHED   from the watch cache (resourceVersion=0), 500 objects a page or all at once
 *   HF_PAGE_EXACT    from the store, 100 a page
 *   HF_PAGE_LARGE    from the store, 500 a page, for a fleet
 *   HF_PAGE_SMALL    from the store, 8 a page, for the largest objects
 *   HF_PAGE_PROXY    neither limit nor version, for a MetaServer */
HF_MUST_USE int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name,
                                     enum hf_page page, const char *next, struct hf_buf *out);
/* The URL of a WatchList: all objects, then changes. */
HF_MUST_USE int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name,
                                     uint64_t timeout_s, struct hf_buf *out);
HF_MUST_USE int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *resource_version, uint64_t timeout_s, struct hf_buf *out);
/* The URL of the object, or of the kind's first object: servers answer it even while their cache of the kind is
 * empty. */
HF_MUST_USE int hf_resource_knock_url(const char *server, const struct hf_resource *resource, const char *name,
                                      struct hf_buf *out);
