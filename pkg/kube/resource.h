/* SPDX-License-Identifier: Apache-2.0 */
/* kube/resource.h - the kinds that a client can follow, and their URLs. Private to pkg/kube. Pure. Functions that
 * append to *out return 0, -E2BIG, -ENOMEM or -EINVAL (snprintf() failed). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_resource {
    const char *kind;
    const char *list_kind; /* as an API server spells it */
    const char *api_version;
    const char *path; /* of the collection */
    /* The spelling of the list kind shows if the cloud answered: a MetaServer's store derives it from the plural, and
     * so misspells one of several words ("EdgeupdateList"). False for kinds of one word, and for
     * CertificateSigningRequest, which only the controller follows. */
    bool provable;
    /* a client that follows a fleet needs only the metadata */
    bool metadata;
    const char *ns; /* NULL: cluster-scoped */
};

/* A cluster-scoped kind; NULL: no client follows it. */
const struct hf_resource *hf_resource_find(const char *kind);
/* One of the kinds of hf_kube_follow(). Borrows `ns` and *ret_path, which the caller frees last. -EINVAL: another kind,
 * or a bad `ns`. */
HF_MUST_USE int hf_resource_in(const char *kind, const char *ns, struct hf_resource *ret_resource, char **ret_path);
const char *hf_resource_plural(const struct hf_resource *resource); /* such as "edgeupdates" */

enum hf_page { HF_PAGE_CACHED, HF_PAGE_LARGE, HF_PAGE_EXACT, HF_PAGE_SMALL, HF_PAGE_PROXY };

/* `name`: metadata.name of one object; NULL: all of the kind. */

enum { HF_RESOURCE_MAX_URL = 4096 }; /* without a continue token */

/* `next`: continue token of the previous page, or "". Values of `page`:
 *   HF_PAGE_CACHED   resourceVersion=0: from the server's watch cache, which may ignore the limit of 500 a page
 *   HF_PAGE_EXACT    the newest state from the store, 100 a page
 *   HF_PAGE_LARGE    the same, 500 a page, for a whole fleet
 *   HF_PAGE_SMALL    the same, 8 a page: even the largest objects stay below HF_KUBE_MAX_LIST_BYTES
 *   HF_PAGE_PROXY    no parameters, for a MetaServer */
HF_MUST_USE int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name,
                                     enum hf_page page, const char *next, struct hf_buf *out);
/* A WatchList: a watch whose stream begins with all objects. */
HF_MUST_USE int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name,
                                     uint64_t timeout_s, struct hf_buf *out);
HF_MUST_USE int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *resource_version, uint64_t timeout_s, struct hf_buf *out);
/* The object itself, or the first one of the kind: a server answers this also while its cache of the kind is empty, but
 * not a list with a selector. */
HF_MUST_USE int hf_resource_knock_url(const char *server, const struct hf_resource *resource, const char *name,
                                      struct hf_buf *out);
