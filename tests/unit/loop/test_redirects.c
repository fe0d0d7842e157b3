/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects between classes of addresses, with a real server that listens on one address of each class: in a network
 * namespace of this test, whose loopback device has all of them. */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { CLASSES = 4 };

/* From the class that may lead everywhere to the one that may lead only to itself and to the ones before. */
static const char *const hosts[CLASSES] = {"127.0.0.1", "169.254.7.7", "10.7.7.7", "198.51.100.7"};
static const char *const names[CLASSES] = {"loopback", "link-local", "private", "public"};

static void add_address(int fd, int i)
{
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (i > 0)
        (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "lo:%d", i);
    ck_assert_int_eq(inet_pton(AF_INET, hosts[i], &address.sin_addr), 1);
    memcpy(&request.ifr_addr, &address, sizeof(address));
    ck_assert_msg(ioctl(fd, SIOCSIFADDR, &request) == 0, "%s: %s", hosts[i], strerror(errno));
}

/* False if this machine lets the test make no network namespace. */
static bool enter_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK};

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    for (int i = 0; i < CLASSES; i++)
        add_address(fd, i);
    (void)close(fd);
    return true;
}

static bool entered;

static void set_up(void)
{
    entered = enter_namespace();
    if (!entered) {
        (void)fprintf(stderr, "left out: this machine lets a test make no network namespace\n");
        return;
    }
    loop = hf_loop_new(NULL);
    hf_test_server_start(&server, (const char *const[]){"--address", "0.0.0.0", NULL});
    use(&(struct hf_http_config){.user_agent = "holdfast-test/1"});
}

static void tear_down(void)
{
    if (!entered)
        return;
    hf_http_client_free(client);
    hf_loop_free(loop);
    hf_test_server_stop(&server);
}

/* Asks the server at the first host, which redirects to the second one, and so on. */
static void follow(const int *way, size_t n, struct outcome *o)
{
    char url[512], longer[512];

    (void)snprintf(url, sizeof(url), "http://%s:%u/hello", hosts[way[n - 1]], server.port);
    for (size_t i = n - 1; i-- > 0;) {
        (void)snprintf(longer, sizeof(longer), "http://%s:%u/redirect?to=%.400s", hosts[way[i]], server.port, url);
        memcpy(url, longer, sizeof(url));
    }
    ask(o, (struct hf_http_request){.url = url, .follow_redirects = true}, NULL);
}

static void expect(const struct outcome *o, bool followed, int from, int to)
{
    if (followed) {
        ck_outcome(*o, 0, 200);
        return;
    }
    ck_assert_msg(o->r == -EPROTO, "%s to %s: r %d, status %d", names[from], names[to], o->r, o->response.status);
    ck_assert_msg(strstr(o->error, names[to]) != NULL && strstr(o->error, names[from]) != NULL &&
                      strstr(o->error, "closer to this machine") != NULL,
                  "%s to %s: '%s'", names[from], names[to], o->error);
}

START_TEST(each_class_to_each)
{
    const int way[] = {_i / CLASSES, _i % CLASSES};
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    if (!entered)
        return;
    follow(way, HF_LEN(way), &o);
    expect(&o, way[1] >= way[0], way[0], way[1]);
}
END_TEST

/* A detour does not help: each hop counts, not the first one. */
START_TEST(over_several_hops)
{
    static const struct {
        int way[3];
        bool followed;
    } rows[] = {{{0, 1, 2}, true}, {{0, 2, 3}, true}, {{2, 3, 2}, false}, {{0, 3, 0}, false}, {{2, 2, 2}, true}};
    _cleanup_(outcome_done) struct outcome o = {.done = 0};

    if (!entered)
        return;
    follow(rows[_i].way, 3, &o);
    expect(&o, rows[_i].followed, rows[_i].way[1], rows[_i].way[2]);
}
END_TEST

/* ---- behind a proxy ---------------------------------------------------------------------------------------------- */

/* The server at each address is the proxy too: it answers for any server that one asks it for. In the URLs '@' stands
 * for its port. */
static const struct {
    const char *what, *proxy, *no_proxy, *from, *to;
    const char *refused; /* the class that the redirect must not lead to; NULL it is followed */
} proxied[] = {
    {"to loopback", "127.0.0.1", "", "http://a.example", "http://127.0.0.1:@/hello", "loopback"},
    {"to loopback by name", "127.0.0.1", "", "http://a.example", "http://localhost:@/hello", "loopback"},
    {"to loopback, from a proxy in the private network", "10.7.7.7", "", "http://a.example", "http://127.0.0.1:@/hello",
     "loopback"},
    {"from an address", "127.0.0.1", "", "http://203.0.113.7", "http://127.0.0.1:@/hello", "loopback"},
    {"to loopback from the private network", "127.0.0.1", "", "http://10.7.7.7", "http://127.0.0.1:@/hello",
     "loopback"},
    {"past the proxy to the private network", "127.0.0.1", "10.0.0.0/8", "http://a.example", "http://10.7.7.7:@/hello",
     "private"},
    {"past the proxy to the proxy's address", "10.7.7.7", "10.7.7.7", "http://a.example", "http://10.7.7.7:@/hello",
     "private"},
    {"by the proxy to the private network", "127.0.0.1", "", "http://a.example", "http://10.7.7.7/hello", "private"},
    {"by the proxy to the link", "127.0.0.1", "", "http://a.example", "http://169.254.169.254/hello", "link-local"},
    {"by the proxy to a public name", "127.0.0.1", "", "http://a.example", "http://b.example/hello", NULL},
    {"by a private proxy to a public address", "10.7.7.7", "", "http://a.example", "http://203.0.113.7/hello", NULL},
    {"past the proxy to a public address", "127.0.0.1", "198.51.100.0/24", "http://a.example",
     "http://198.51.100.7:@/hello", NULL},
    {"from the private network past the proxy to it", "127.0.0.1", "10.0.0.0/8", "http://10.7.7.7:@",
     "http://10.7.7.7:@/hello", NULL},
    {"from the private network past the proxy to a public name", "127.0.0.1", "10.0.0.0/8", "http://10.7.7.7:@",
     "http://b.example/hello", NULL},
    {"from the private network by the proxy to it", "127.0.0.1", "", "http://10.7.7.7", "http://10.7.7.8/hello", NULL},
};

static void add_url(struct hf_buf *out, const char *url)
{
    for (; *url != '\0'; url++)
        ck_assert_int_eq(*url == '@' ? hf_buf_addf(out, "%u", server.port) : hf_buf_add(out, url, 1), 0);
}

START_TEST(behind_a_proxy)
{
    _cleanup_(outcome_done) struct outcome o = {.done = 0};
    _cleanup_(hf_buf_done) struct hf_buf url = HF_BUF_INIT(1000);
    char proxy[64];

    if (!entered)
        return;
    (void)snprintf(proxy, sizeof(proxy), "http://%s:%u", proxied[_i].proxy, server.port);
    ck_assert_int_eq(setenv("http_proxy", proxy, 1), 0);
    ck_assert_int_eq(setenv("no_proxy", proxied[_i].no_proxy, 1), 0);
    add_url(&url, proxied[_i].from);
    ck_assert_int_eq(hf_buf_add_str(&url, "/redirect?to="), 0);
    add_url(&url, proxied[_i].to);
    ask(&o, (struct hf_http_request){.url = hf_buf_str(&url), .follow_redirects = true}, NULL);
    if (proxied[_i].refused == NULL) {
        ck_assert_msg(o.r == 0 && o.response.status == 200, "%s: r %d, status %d, %s", proxied[_i].what, o.r,
                      o.response.status, o.error);
        return;
    }
    ck_assert_msg(o.r == -EPROTO, "%s: r %d, status %d, %s", proxied[_i].what, o.r, o.response.status, o.error);
    ck_assert_msg(strstr(o.error, "closer to this machine") != NULL && strstr(o.error, proxied[_i].refused) != NULL,
                  "%s: %s", proxied[_i].what, o.error);
}
END_TEST

/* Where the proxy is asked for the first time, a connection to it may be open already. */
START_TEST(on_a_connection_to_the_proxy)
{
    char proxy[64], url[200];

    if (!entered)
        return;
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", server.port);
    ck_assert_int_eq(setenv("http_proxy", proxy, 1), 0);
    for (int i = 0; i < 2; i++) {
        _cleanup_(outcome_done) struct outcome o = {.done = 0}, away = {.done = 0};
        ask(&o,
            (struct hf_http_request){.url = "http://a.example/redirect?to=http://b.example/hello",
                                     .follow_redirects = true},
            NULL);
        ck_outcome(o, 0, 200);
        (void)snprintf(url, sizeof(url), "http://a.example/redirect?to=http://127.0.0.1:%u/hello", server.port);
        ask(&away, (struct hf_http_request){.url = url, .follow_redirects = true}, NULL);
        ck_assert_int_eq(away.r, -EPROTO);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, each_class_to_each, 0, CLASSES * CLASSES);
    tcase_add_loop_test(tc, over_several_hops, 0, 5);
    tcase_add_loop_test(tc, behind_a_proxy, 0, (int)HF_LEN(proxied));
    tcase_add_test(tc, on_a_connection_to_the_proxy);
}

HF_TEST_MAIN("loop/redirects", cases)
