-- sqlite3: inserts, indices, sorting, a join, updates, text functions.
create table t(a integer primary key, b integer, c text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 120000)
insert into t select i, i * 7919 % 200003, 'name ' || (i * 31 % 1009) from n;
create index tb on t(b);
create index tc on t(c);
select count(*), sum(a) from t where b between 1000 and 90000;
select c, count(*), avg(b), min(a) from t group by c order by 2 desc, 1 limit 5;
select count(*) from t x join t y on x.b = y.a where y.c like '%7%';
update t set b = b + 1 where a % 3 = 0;
delete from t where a % 5 = 0;
select count(*), sum(b), max(c) from t;
select sum(length(upper(c) || substr(c, 2, 3))) from t;
