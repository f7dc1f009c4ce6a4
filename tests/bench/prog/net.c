/* net.c: net SEND|RECV ADDRESS PORT MEGABYTES: so many bytes through one TCP connection; the other side's word that it got all ends it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[1 << 18];

static int get(int fd, size_t n)
{
    while (n) {
        ssize_t r = read(fd, buf, n < sizeof buf ? n : sizeof buf);
        if (r <= 0) return 0;
        n -= (size_t)r;
    }
    return 1;
}

static int put(int fd, size_t n)
{
    while (n) {
        ssize_t r = write(fd, buf, n < sizeof buf ? n : sizeof buf);
        if (r <= 0) return 0;
        n -= (size_t)r;
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[3])) };
    size_t bytes = (size_t)atoi(argv[4]) << 20;
    int fd = socket(AF_INET, SOCK_STREAM, 0), send = !strcmp(argv[1], "send");
    inet_pton(AF_INET, argv[2], &a.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a)) {
        perror("net");
        return 1;
    }
    unsigned char want[9] = { (unsigned char)send };
    for (int i = 0; i < 8; i++) want[1 + i] = (unsigned char)(bytes >> 8 * i);
    if (write(fd, want, 9) != 9 || !(send ? put(fd, bytes) && get(fd, 1) : get(fd, bytes))) {
        fprintf(stderr, "net: the connection ended early\n");
        return 1;
    }
    return 0;
}
