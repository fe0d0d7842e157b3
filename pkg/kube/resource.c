#include "kube/resource.h"

#include <inttypes.h>
#include <string.h>

#include "api/meta.h"
#include "base/net/url_escape.h"

/* An object in the store has at most 1.5 MiB by default: eight of them stay below HF_KUBE_MAX_LIST_BYTES. */
static const int limits[] = {[HF_PAGE_CACHED] = 500, [HF_PAGE_LARGE] = 500, [HF_PAGE_EXACT] = 100, [HF_PAGE_SMALL] = 8};

#define OURS(kind, plural)                                                                                             \
    {                                                                                                                  \
        kind, kind "List", HF_API_GROUP_VERSION, "/apis/" HF_API_GROUP_VERSION "/" plural, true, false                 \
    }

static const struct hf_resource resources[] = {
    OURS("EdgeUpdate", "edgeupdates"),
    OURS("SyncPolicy", "syncpolicies"),
    OURS("EdgeNode", "edgenodes"),
    {"Node", "NodeList", "v1", "/api/v1/nodes", false, true},
    {"CertificateSigningRequest", "CertificateSigningRequestList", "certificates.k8s.io/v1",
     "/apis/certificates.k8s.io/v1/certificatesigningrequests", false, false},
};

const struct hf_resource *hf_resource_find(const char *kind)
{
    for (size_t i = 0; i < HF_LEN(resources); i++)
        if (strcmp(resources[i].kind, kind) == 0)
            return &resources[i];
    return NULL;
}

const char *hf_resource_plural(const struct hf_resource *resource)
{
    return strrchr(resource->path, '/') + 1;
}

/* "{server}{path}?" and the selector of one object. */
static int begin(const char *server, const struct hf_resource *resource, const char *name, struct hf_buf *out)
{
    int r = hf_buf_addf(out, "%s%s?", server, resource->path);

    if (r == 0 && name != NULL)
        r = hf_buf_add_str(out, "fieldSelector=metadata.name%3D");
    if (r == 0 && name != NULL)
        r = hf_url_escape(name, out);
    if (r == 0 && name != NULL)
        r = hf_buf_add_str(out, "&");
    return r;
}

int hf_resource_list_url(const char *server, const struct hf_resource *resource, const char *name, enum hf_page page,
                         const char *next, struct hf_buf *out)
{
    int r = begin(server, resource, name, out);

    if (r == 0 && page == HF_PAGE_PROXY) /* no parameters: drop the last '?' or '&' */
        out->p[--out->n] = '\0';
    else if (r == 0)
        r = hf_buf_addf(out, "limit=%d", limits[page]);
    if (r == 0 && page == HF_PAGE_CACHED && *next == '\0') /* the token of a continued list has the version */
        r = hf_buf_add_str(out, "&resourceVersion=0");
    if (r == 0 && *next != '\0') {
        r = hf_buf_add_str(out, "&continue=");
        if (r == 0)
            r = hf_url_escape(next, out);
    }
    return r;
}

int hf_resource_fill_url(const char *server, const struct hf_resource *resource, const char *name, uint64_t timeout_s,
                         struct hf_buf *out)
{
    int r = begin(server, resource, name, out);

    return r < 0 ? r
                 : hf_buf_addf(out,
                               "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersion=0"
                               "&resourceVersionMatch=NotOlderThan&timeoutSeconds=%" PRIu64,
                               timeout_s);
}

int hf_resource_watch_url(const char *server, const struct hf_resource *resource, const char *name,
                          const char *resource_version, uint64_t timeout_s, struct hf_buf *out)
{
    int r = begin(server, resource, name, out);

    if (r == 0)
        r = hf_buf_add_str(out, "watch=true&allowWatchBookmarks=true&resourceVersion=");
    if (r == 0)
        r = hf_url_escape(resource_version, out);
    return r == 0 ? hf_buf_addf(out, "&timeoutSeconds=%" PRIu64, timeout_s) : r;
}
