/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds to follow, and their URLs. Pure. Functions that append to *out return 0, -E2BIG, -ENOMEM or -EINVAL
 * (snprintf()). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_resource {
    const char *kind;
    const char *list_kind; /* an API server's spelling */
    const char *api_version;
    const char *path; /* the collection's */
    /* The list kind's spelling proves the cloud: a MetaServer's store derives it from the plural, and misspells several
     * words ("EdgeupdateList"). False for one word, and CertificateSigningRequest. */
    bool provable;
    /* a fleet's client needs only that */
    bool metadata;
    const char *ns; /* NULL: cluster-scoped */
};

/* A cluster-scoped kind's; or NULL. */
const struct hf_resource *hf_resource_find(const char *kind);
/* A kind of hf_kube_follow(). *ret_resource borrows `ns` and *ret_path; free that last. -EINVAL: kind or `ns`. */
HF_MUST_USE int hf_resource_in(const char *kind, const char *ns, struct hf_resource *ret_resource, char **ret_path);
const char *hf_resource_plural(const struct hf_resource *resource); /* "edgeupdates" */

enum hf_page { HF_PAGE_CACHED, HF_PAGE_LARGE, HF_PAGE_EXACT, HF_PAGE_SMALL, HF_PAGE_PROXY };

/* From here on `name` NULL: all objects. */

enum { HF_RESOURCE_MAX_URL = 4096 }; /* without a continue token */

/* `next`: the previous page's continue token, or "". `page`:
 *   HF_PAGE_CACHED   resourceVersion=0: from the watch cache, 500 a page, or all at once
 *   HF_PAGE_EXACT    from the store, 100 a page
 *   HF_PAGE_LARGE    500, for a fleet
 *   HF_PAGE_SMALL    8: the largest objects stay below HF_KUBE_MAX_LIST_BYTES
 *   HF_PAGE_PROXY    no parameters, for a MetaServer */
HF_MUST_USE int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name,
                                     enum hf_page page, const char *next, struct hf_buf *out);
/* A WatchList: all objects, then changes. */
HF_MUST_USE int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name,
                                     uint64_t timeout_s, struct hf_buf *out);
HF_MUST_USE int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *resource_version, uint64_t timeout_s, struct hf_buf *out);
/* The object, or the kind's first: servers answer while the kind's cache is empty, unlike a list with a selector. */
HF_MUST_USE int hf_resource_knock_url(const char *server, const struct hf_resource *resource, const char *name,
                                      struct hf_buf *out);
