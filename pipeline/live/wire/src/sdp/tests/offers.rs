//! Offers in the shape that other software gives them, with addresses of RFC 5737 and RFC 3849.

/// A media server behind OpenSIPS or Kamailio: both voices, labels from 0, addresses of their own.
pub(super) const MEDIA_SERVER: &str = "v=0\r
o=RTP 1700112233 1700112233 IN IP4 192.0.2.10\r
s=Call\r
t=0 0\r
m=audio 31000 RTP/AVP 8 108\r
c=IN IP4 192.0.2.21\r
a=label:0\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:108 telephone-event/8000\r
a=X-mark\r
a=sendonly\r
a=rtcp:31001\r
a=ptime:20\r
m=audio 31004 RTP/AVP 8 108\r
c=IN IP4 192.0.2.21\r
a=label:1\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:108 telephone-event/8000\r
a=X-mark\r
a=sendonly\r
a=rtcp:31005\r
a=ptime:20\r
";

/// A border element of Cisco: an address for the session and for each medium, events by 101.
pub(super) const CUBE: &str = "v=0\r
o=CiscoSystemsSIP-GW-UserAgent 2718 2818 IN IP4 198.51.100.7\r
s=SIP Call\r
c=IN IP4 198.51.100.7\r
t=0 0\r
m=audio 16552 RTP/AVP 0 101 19\r
c=IN IP4 198.51.100.7\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=rtpmap:19 CN/8000\r
a=ptime:20\r
a=sendonly\r
a=label:1\r
m=audio 16554 RTP/AVP 0 101 19\r
c=IN IP4 198.51.100.7\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=fmtp:101 0-16\r
a=rtpmap:19 CN/8000\r
a=ptime:20\r
a=sendonly\r
a=label:2\r
";

/// A gateway of AudioCodes on hold, with Opus in capitals.
pub(super) const GATEWAY_ON_HOLD: &str = "v=0\r
o=AudiocodesGW 51603 15303 IN IP4 203.0.113.5\r
s=SBC-Call\r
c=IN IP4 203.0.113.5\r
t=0 0\r
m=audio 11096 RTP/AVP 111 0 8 126\r
c=IN IP4 203.0.113.5\r
a=ptime:20\r
a=inactive\r
a=label:1\r
a=rtpmap:111 OPUS/48000/2\r
a=fmtp:111 minptime=20; maxplaybackrate=8000\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:126 telephone-event/8000\r
a=fmtp:126 0-15,16\r
";

/// A soft phone that calls: many codecs, shared ports, a direction for the session, IPv6.
pub(super) const SOFT_PHONE: &str = "v=0
o=- 3141 1 IN IP6 2001:db8::17
s=-
c=IN IP6 2001:db8::17
t=0 0
a=tool:phone
a=sendonly
m=audio 20004 RTP/AVP 96 9 0 8 10 101 97
b=AS:125
a=rtpmap:96 opus/48000/2
a=fmtp:96 stereo=1;sprop-stereo=1
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtpmap:97 telephone-event/48000
a=rtcp:20005
a=rtcp-mux
a=minptime:10
m=video 20006 RTP/AVP 98
a=rtpmap:98 H264/90000
";

/// A test tool that plays a caller: the least there can be.
pub(super) const TEST_TOOL: &str = "v=0\r
o=user1 53655765 2353687637 IN IP4 192.0.2.77\r
s=-\r
c=IN IP4 192.0.2.77\r
t=0 0\r
m=audio 6000 RTP/AVP 0\r
";

/// SRTP with keys for two suites, and a medium whose key comes from DTLS. The keys are `0123456789abcdef` and so on.
pub(super) const SECURE: &str = "v=0\r
o=- 77 3 IN IP4 192.0.2.30\r
s=tester\r
c=IN IP4 192.0.2.30\r
t=0 0\r
m=audio 40000 RTP/SAVP 0 101\r
a=crypto:1 AES_CM_256_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZzYWx0c2FsdHNhbHRzYQ\r
a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OWFiY2RlZnNhbHRzYWx0c2FsdHNh|2^31 WSH=64\r
a=rtpmap:101 telephone-event/8000\r
a=sendonly\r
a=label:10\r
m=audio 40002 UDP/TLS/RTP/SAVPF 0\r
a=setup:actpass\r
";

/// All of them.
pub(super) const ALL: [&str; 6] = [
    MEDIA_SERVER,
    CUBE,
    GATEWAY_ON_HOLD,
    SOFT_PHONE,
    TEST_TOOL,
    SECURE,
];
