/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/watch_stream.h"

#include <errno.h>

#include "base/clock.h"
#include "kube/resource.h"
#include "support/check_main.h"
#include "support/fakes/simloop.h"

struct heard {
    char text[4096]; /* "type:name:version " or "garbage " */
    unsigned stop_after, n;
};

static int visit(void *arg, const struct hf_watch_event *event, const struct hf_err *err)
{
    struct heard *heard = arg;
    size_t used = strlen(heard->text);

    ck_assert((event == NULL) == (err != NULL));
    ck_assert(event == NULL || (event->object == NULL) == (event->unreadable != NULL));
    if (event == NULL)
        (void)snprintf(heard->text + used, sizeof(heard->text) - used, "garbage ");
    else if (event->object == NULL)
        (void)snprintf(heard->text + used, sizeof(heard->text) - used, "unreadable:%d:%s:%s ", (int)event->type,
                       event->name, event->resource_version);
    else if (event->type == HF_WATCH_ERROR)
        (void)snprintf(heard->text + used, sizeof(heard->text) - used, "error:%d ", event->code);
    else
        (void)snprintf(heard->text + used, sizeof(heard->text) - used, "%d:%s:%s%s ", (int)event->type, event->name,
                       event->resource_version, event->initial_end ? "!" : "");
    return ++heard->n == heard->stop_after ? -ECANCELED : 0;
}

#define A "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"5\"}}}"
#define B "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\",\"resourceVersion\":\"6\"}}}"
#define MARK "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"7\"}}}"
#define END                                                                                                            \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"8\",\"annotations\":{\"k8s.io/"            \
    "initial-events-end\":\"true\"}}}}"
#define GONE "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}}"

#define BAD_TAIL(type, value)                                                                                          \
    "\"type\":\"" type "\",\"object\":{\"spec\":{\"a\":" value                                                         \
    "},\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"9\"}}}"
#define BAD(type, value) "{" BAD_TAIL(type, value)

static const struct {
    const char *name, *in, *want;
} streams[] = {
    {"two", A "\n" B "\n", "0:a:5 2:b:6 "},
    {"blank lines and CR", "\n\r\n" A "\r\n\n", "0:a:5 "},
    {"bookmarks", MARK "\n" END "\n", "3::7 3::8! "},
    {"error", GONE "\n", "error:410 "},
    {"error without code", "{\"type\":\"ERROR\",\"object\":{}}\n", "error:0 "},
    {"error with an odd code", "{\"type\":\"ERROR\",\"object\":{\"code\":99999}}\n", "error:0 "},
    {"unfinished", A, ""},
    {"garbage between", A "\nnonsense\n" B "\n", "0:a:5 garbage 2:b:6 "},
    {"cut in two lines", "{\"type\":\"ADD\nED\"}\n" A "\n", "garbage garbage 0:a:5 "},
    {"unknown type", "{\"type\":\"MOVED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n", "garbage "},
    {"object is a list", "{\"type\":\"ADDED\",\"object\":[]}\n", "garbage "},
    {"no name", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}\n", "garbage "},
    {"name is a number", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":1}}}\n", "garbage "},
    {"not an object", "[1]\n7\nnull\n", "garbage garbage garbage "},
    {"two in a line", A B "\n" A "\n", "garbage 0:a:5 "},
    {"a zero byte in a name", "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\\u0000b\"}}}\n", "garbage "},
    {"a zero byte in a field", BAD("ADDED", "\"\\u0000\"") "\n" A "\n", "unreadable:0:x:9 0:a:5 "},
    {"a zero byte in what is gone", BAD("DELETED", "\"\\u0000\"") "\n", "unreadable:2:x:9 "},
    {"invalid UTF-8 in a field", BAD("MODIFIED", "\"\xff\"") "\n", "unreadable:1:x:9 "},
    {"a field twice", BAD("MODIFIED", "{\"a\":1,\"a\":1}") "\n", "unreadable:1:x:9 "},
    {"a zero byte in a bookmark", BAD("BOOKMARK", "\"\\u0000\"") "\n", "garbage "},
    {"a zero byte in an error", BAD("ERROR", "\"\\u0000\"") "\n", "garbage "},
    {"two types", "{\"type\":\"ADDED\"," BAD_TAIL("ADDED", "\"\\u0000\"") "\n", "garbage "},
    {"text behind", BAD("ADDED", "\"\\u0000\"") "7\n", "garbage "},
};

/* The same, however the bytes are cut. */
START_TEST(cut_anywhere)
{
    size_t n = strlen(streams[_i].in);

    for (size_t piece = 1; piece <= n; piece++) {
        struct hf_watch_stream stream;
        struct heard heard = {.n = 0};
        hf_watch_stream_init(&stream);
        for (size_t at = 0; at < n; at += piece)
            ck_assert_int_eq(hf_watch_stream_feed(&stream, streams[_i].in + at, HF_MIN(piece, n - at), visit, &heard),
                             0);
        ck_assert_msg(strcmp(heard.text, streams[_i].want) == 0, "%s in pieces of %zu: %s", streams[_i].name, piece,
                      heard.text);
        hf_watch_stream_done(&stream);
    }
}
END_TEST

START_TEST(a_line_too_long)
{
    static char big[HF_WATCH_STREAM_MAX_LINE + 2];
    struct hf_watch_stream stream;
    struct heard heard = {.n = 0};

    memset(big, 'x', sizeof(big));
    big[sizeof(big) - 1] = '\n';
    for (size_t piece = 1000; piece <= sizeof(big); piece = piece * 70 + 1) {
        heard.text[0] = '\0';
        hf_watch_stream_init(&stream);
        for (size_t at = 0; at < sizeof(big); at += piece)
            ck_assert_int_eq(hf_watch_stream_feed(&stream, big + at, HF_MIN(piece, sizeof(big) - at), visit, &heard),
                             0);
        ck_assert_uint_le(stream.line.cap, HF_WATCH_STREAM_KEEP + 1);
        ck_assert_int_eq(hf_watch_stream_feed(&stream, A "\n", sizeof(A), visit, &heard), 0);
        ck_assert_str_eq(heard.text, "garbage 0:a:5 ");
        hf_watch_stream_done(&stream);
    }
}
END_TEST

START_TEST(stops_when_told)
{
    struct hf_watch_stream stream;
    struct heard heard = {.stop_after = 2};

    hf_watch_stream_init(&stream);
    ck_assert_int_eq(hf_watch_stream_feed(&stream, A "\n" A "\n" A "\n", 3 * sizeof(A), visit, &heard), -ECANCELED);
    ck_assert_uint_eq(heard.n, 2);
    hf_watch_stream_done(&stream);
}
END_TEST

START_TEST(errors_carry_what_the_server_asked_for)
{
    _cleanup_(hf_json_freep) json_t *root = NULL;
    struct hf_watch_event event;
    char text[20];

    ck_assert_int_eq(hf_watch_stream_parse(HF_VIEW("{\"type\":\"ERROR\",\"object\":{\"code\":504,\"message\":\"m\","
                                                   "\"details\":{\"retryAfterSeconds\":7}}}"),
                                           &root, &event, NULL),
                     0);
    ck_assert(event.code == 504 && event.retry_after_ns == 7 * HF_NS_PER_S);
    ck_assert_str_eq(event.message, "m");
    ck_assert_str_eq(hf_kube_status_message(HF_VIEW("{\"message\":\"no such thing\"}"), text, sizeof(text)),
                     "no such thing");
    char cut[41]; /* what an admission policy has to say stands at the end */
    ck_assert_str_eq(
        hf_kube_status_message(HF_VIEW("{\"message\":\"edgenodes n1 is forbidden: ValidatingAdmissionPolicy denied "
                                       "request: only its own, which is n2\"}"),
                               cut, sizeof(cut)),
        "edgenodes  ... only its own, which is n2");
    ck_assert_str_eq(hf_kube_status_message(HF_VIEW("404 page not found, says the proxy"), text, sizeof(text)),
                     "404 page not found,");
    ck_assert_str_eq(hf_kube_status_message(HF_VIEW(""), text, sizeof(text)), "");
}
END_TEST

START_TEST(versions)
{
    ck_assert_uint_eq(hf_kube_version_number("42"), 42);
    ck_assert_uint_eq(hf_kube_version_number(""), 0);
    ck_assert_uint_eq(hf_kube_version_number("0"), 0);
    ck_assert_uint_eq(hf_kube_version_number("a1"), 0);
    ck_assert_uint_eq(hf_kube_version_number("99999999999999999999"), 0);
}
END_TEST

static const char base[] = "https://k/apis/edge.codcompass.io/v1alpha1/edgeupdates";

static void url_is(struct hf_buf *url, const char *rest)
{
    ck_assert_int_eq(strncmp(hf_buf_str(url), base, sizeof(base) - 1), 0);
    ck_assert_str_eq(hf_buf_str(url) + sizeof(base) - 1, rest);
    hf_buf_clear(url);
}

START_TEST(urls)
{
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(4096);
    const struct hf_resource *eu = hf_resource_find("EdgeUpdate");

    ck_assert_ptr_null(hf_resource_find("Secret"));
    ck_assert_str_eq(hf_resource_find("Node")->path, "/api/v1/nodes");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, NULL, HF_PAGE_CACHED, "", &url), 0);
    url_is(&url, "?limit=500&resourceVersion=0");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, NULL, HF_PAGE_CACHED, "a=b&c", &url), 0);
    url_is(&url, "?limit=500&continue=a%3Db%26c");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, "x y", HF_PAGE_EXACT, "", &url), 0);
    url_is(&url, "?fieldSelector=metadata.name%3Dx%20y&limit=100");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, NULL, HF_PAGE_PROXY, "", &url), 0);
    url_is(&url, "");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, "n", HF_PAGE_PROXY, "", &url), 0);
    url_is(&url, "?fieldSelector=metadata.name%3Dn");
    ck_assert_int_eq(hf_resource_watch_url("https://k", eu, "n", "7", 60, &url), 0);
    url_is(&url,
           "?fieldSelector=metadata.name%3Dn&watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=60");
    ck_assert_int_eq(hf_resource_fill_url("https://k", eu, NULL, 60, &url), 0);
    url_is(&url, "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersion=0&resourceVersionMatch="
                 "NotOlderThan&timeoutSeconds=60");
    ck_assert_int_eq(hf_resource_list_url("https://k", eu, NULL, HF_PAGE_LARGE, "", &url), 0);
    url_is(&url, "?limit=500");
    ck_assert_str_eq(hf_resource_plural(eu), "edgeupdates");
    ck_assert_str_eq(hf_resource_plural(hf_resource_find("CertificateSigningRequest")), "certificatesigningrequests");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, cut_anywhere, 0, (int)HF_LEN(streams));
    tcase_add_test(tc, a_line_too_long);
    tcase_add_test(tc, stops_when_told);
    tcase_add_test(tc, errors_carry_what_the_server_asked_for);
    tcase_add_test(tc, versions);
    tcase_add_test(tc, urls);
}
HF_TEST_MAIN("kube/watch_stream", cases)
