/* kube/resource.h - the kinds that the agent follows, and their URLs. Private to pkg/kube.
 *
 * Pure. Errors: the URL functions append to *out and return 0, -E2BIG or -ENOMEM. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct hf_resource {
    const char *kind;
    const char *list_kind; /* kind of the list as a real server spells it */
    const char *api_version;
    const char *path; /* URL path of the collection, cluster-scoped */
    /* The right spelling of the list kind proves that the cloud answered: a MetaServer guesses it from the plural
     * ("edgeupdates" becomes "EdgeupdateList"). False for "NodeList", which it guesses right. */
    bool provable;
};

/* Finds a kind. NULL: the agent does not follow this kind. */
const struct hf_resource *hf_resource_find(const char *kind);

enum hf_page { HF_PAGE_CACHED, HF_PAGE_EXACT, HF_PAGE_SMALL, HF_PAGE_PROXY };

/* `name`: only the object of this name (metadata.name); NULL: all objects. */

/* HF_PAGE_CACHED: resourceVersion=0, from the server's watch cache (which ignores the limit where it can: one answer).
 * EXACT: the newest state, in pages. SMALL: the same, in pages of a few objects of any size. PROXY: no parameters, for
 * MetaServer. `next`: the continue token of the page before, "" for the first. */
HF_MUST_USE int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name,
                                     enum hf_page page, const char *next, struct hf_buf *out);
/* URL of a WatchList: resourceVersion=0; the stream begins with every object that exists. */
HF_MUST_USE int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name,
                                     uint64_t timeout_s, struct hf_buf *out);
HF_MUST_USE int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *resource_version, uint64_t timeout_s, struct hf_buf *out);
/* URL for the server-side apply of one object; subresource may be NULL. */
HF_MUST_USE int hf_resource_apply_url(const char *server, const struct hf_resource *resource, const char *name,
                                      const char *subresource, const char *field_manager, struct hf_buf *out);

/* Appends the text with every byte but unreserved ones (RFC 3986, 2.3) as %XX. */
HF_MUST_USE int hf_resource_escape(const char *text, struct hf_buf *out);
