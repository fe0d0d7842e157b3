/* SPDX-License-Identifier: Apache-2.0 */
/* kube/resource.h - the kinds that a client can follow, and their URLs. Private to pkg/kube.
 *
 * Pure. Errors: the functions that append to *out return 0, -E2BIG, -ENOMEM or -EINVAL (snprintf() failed). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_resource {
    const char *kind;
    const char *list_kind; /* kind of a list of these objects, as an API server spells it */
    const char *api_version;
    const char *path; /* URL path of the collection of these objects */
    /* True if the spelling of the list kind shows that the cloud, and not the MetaServer's store, answered. A
     * MetaServer that answers from its store derives the list kind from the plural, and so misspells a list kind of
     * several words ("edgeupdates" becomes "EdgeupdateList"). False for kinds of one word, such as Node, because a
     * MetaServer spells "NodeList" correctly, and for CertificateSigningRequest, which only the controller follows. */
    bool provable;
    /* True if a client that follows a fleet needs only the metadata of these objects. The status of a Node is many
     * times as large as its labels. */
    bool metadata;
    const char *ns; /* namespace of the objects; NULL for cluster-scoped objects */
};

/* Returns the description of a cluster-scoped kind, or NULL if no client follows this kind. */
const struct hf_resource *hf_resource_find(const char *kind);
/* Describes one of the kinds whose objects a client follows one by one, each in its namespace: ConfigMap, Secret,
 * Service, GitRepository, OCIRepository, Bucket, ExternalArtifact. The function allocates *ret_path. The description
 * borrows *ret_path and `ns`; the caller frees *ret_path after the last use of the description. -EINVAL: no client
 * follows the kind, or `ns` is not the name of a namespace. -ENOMEM: out of memory. */
HF_MUST_USE int hf_resource_in(const char *kind, const char *ns, struct hf_resource *ret_resource, char **ret_path);
const char *hf_resource_plural(const struct hf_resource *resource); /* such as "edgeupdates" */

enum hf_page { HF_PAGE_CACHED, HF_PAGE_LARGE, HF_PAGE_EXACT, HF_PAGE_SMALL, HF_PAGE_PROXY };

/* In the functions below, `name` is the metadata.name of the one object to select; NULL selects all objects of the
 * kind. */

/* Appends the URL of a LIST. `next` is the continue token of the previous page, or "". Values of `page`:
 *   HF_PAGE_CACHED   resourceVersion=0: state from the server's watch cache, usually in one answer, because the cache
 *                    may ignore the limit of 500 objects per page
 *   HF_PAGE_EXACT    the newest state from the server's store, 100 objects per page
 *   HF_PAGE_LARGE    like HF_PAGE_EXACT, but with 500 objects per page, for the lists of a whole fleet
 *   HF_PAGE_SMALL    like HF_PAGE_EXACT, but with 8 objects per page, so that even the largest objects stay below
 *                    HF_KUBE_MAX_LIST_BYTES
 *   HF_PAGE_PROXY    no parameters; for a MetaServer */
HF_MUST_USE int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name,
                                     enum hf_page page, const char *next, struct hf_buf *out);
/* Appends the URL of a WatchList, a watch whose stream begins with every object that exists. */
HF_MUST_USE int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name,
                                     uint64_t timeout_s, struct hf_buf *out);
HF_MUST_USE int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *resource_version, uint64_t timeout_s, struct hf_buf *out);
