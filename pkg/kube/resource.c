/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/resource.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api/meta.h"
#include "base/net/url_escape.h"

/* An object in the store has at most 1.5 MiB by default: eight of them stay below HF_KUBE_MAX_LIST_BYTES. */
static const int limits[] = {[HF_PAGE_CACHED] = 500, [HF_PAGE_LARGE] = 500, [HF_PAGE_EXACT] = 100, [HF_PAGE_SMALL] = 8};

#define OURS(kind, plural)                                                                                             \
    {                                                                                                                  \
        kind, kind "List", HF_API_GROUP_VERSION, "/apis/" HF_API_GROUP_VERSION "/" plural, true, false, NULL           \
    }

static const struct hf_resource resources[] = {
    OURS("EdgeUpdate", "edgeupdates"),
    OURS("SyncPolicy", "syncpolicies"),
    OURS("EdgeNode", "edgenodes"),
    {"Node", "NodeList", "v1", "/api/v1/nodes", false, true, NULL},
    {"CertificateSigningRequest", "CertificateSigningRequestList", "certificates.k8s.io/v1",
     "/apis/certificates.k8s.io/v1/certificatesigningrequests", false, false, NULL},
};

#define FLUX "source.toolkit.fluxcd.io/v1"
#define OF_FLUX(kind, plural, provable)                                                                                \
    {                                                                                                                  \
        kind, kind "List", FLUX, "/apis/" FLUX "/" plural, provable, false, ""                                         \
    }

/* A MetaServer misspells only the list kinds of several words. */
static const struct hf_resource namespaced[] = {
    {"ConfigMap", "ConfigMapList", "v1", "/api/v1/configmaps", true, false, ""},
    {"Secret", "SecretList", "v1", "/api/v1/secrets", false, false, ""},
    {"Service", "ServiceList", "v1", "/api/v1/services", false, false, ""},
    OF_FLUX("GitRepository", "gitrepositories", true),
    OF_FLUX("OCIRepository", "ocirepositories", true),
    OF_FLUX("Bucket", "buckets", false),
    OF_FLUX("ExternalArtifact", "externalartifacts", true),
};

const struct hf_resource *hf_resource_find(const char *kind)
{
    for (size_t i = 0; i < HF_LEN(resources); i++)
        if (strcmp(resources[i].kind, kind) == 0)
            return &resources[i];
    return NULL;
}

/* A namespace is a label of a DNS name (RFC 1123). */
static bool is_namespace(const char *ns)
{
    size_t n = strspn(ns, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= 63 && ns[n] == '\0' && ns[0] != '-' && ns[n - 1] != '-';
}

int hf_resource_in(const char *kind, const char *ns, struct hf_resource *ret_resource, char **ret_path)
{
    for (size_t i = 0; i < HF_LEN(namespaced) && is_namespace(ns); i++) {
        const struct hf_resource *row = &namespaced[i];
        if (strcmp(row->kind, kind) != 0)
            continue;
        const char *plural = hf_resource_plural(row);
        char *path = hf_asprintf("%.*snamespaces/%s/%s", (int)(plural - row->path), row->path, ns, plural);
        if (path == NULL)
            return -ENOMEM;
        *ret_resource = *row;
        ret_resource->path = *ret_path = path;
        ret_resource->ns = ns;
        return 0;
    }
    return -EINVAL;
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

int hf_resource_knock_url(const char *server, const struct hf_resource *resource, const char *name, struct hf_buf *out)
{
    int r = hf_buf_addf(out, "%s%s%s", server, resource->path, name != NULL ? "/" : "?limit=1");

    return r == 0 && name != NULL ? hf_url_escape(name, out) : r;
}
