"""Tables with what only MySQL databases have: unsigned numbers, zero dates, several charsets, a broken view."""

from __future__ import annotations

MYSQL_TABLES = (
    """
    create table measured (id bigint unsigned primary key, small tinyint, flag boolean, one bit(1), five bit(5),
      count_ int unsigned, huge bigint unsigned, price decimal(12,3), upper_ decimal(12,3) unsigned,
      wide decimal(50,10), single float, value double, at datetime(6), seen timestamp(6) null, day date, clock time(6),
      yy year, feeling enum('good', 'bad'), tags set('x', 'y'), doc json, name varchar(20) comment 'what it is called',
      exact varchar(20) collate utf8mb4_bin, old varchar(20) character set latin1, raw blob, code binary(4),
      place point, mark uuid, `Ünusual ``name"` text, `50%` int, twice int as (`50%` * 2), unique key (count_))
    """,
    """
    insert into measured values (1, -5, 1, b'1', b'10101', 4000000000, 18446744073709551615, 1.234, 999999999.999,
      12345678901234567890.5, 1.1, 0.1, '2024-01-01 10:00:00.123456', '2024-01-01 10:00:00', '2024-02-29',
      '23:59:59.5', 2024, 'good', 'x,y', '{"a": 1}', 'Abc', 'Abc', 'é', x'00ff', x'01', point(1, 2), uuid(), '中文',
      5, default)
    """,
    """
    insert into measured (id, flag, count_, at, seen, day, clock, yy, feeling, name)
      values (2, 0, 1, '0000-00-00', '0000-00-00', '0000-00-00', '838:59:59', 0, '', ''),
             (3, 5, 2, '2024-00-10 10:00:00', null, '2024-02-00', '-00:00:01', null, 'bad', 'a\\'b')
    """,
    "create view halves as select id, value / 2 as half from measured",
    "create table nothing (a int)",
    "create table base (a int)",
    "create view broken as select a from base",
    "drop table base",
)
