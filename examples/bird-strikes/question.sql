SELECT "Wildlife Size" AS size, count(*) AS strikes, avg("Cost Total $") AS mean_cost
FROM strikes
GROUP BY size
ORDER BY size
